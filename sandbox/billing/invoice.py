"""An invoice and its lines, as the books keep them: frozen values, replaced on the shelf by what becomes of them.

A draft keeps the charges it was made of, because finalization counts and rates them again; what a total is, and what of
it is due, is decided here alone.
"""

from dataclasses import dataclass
from decimal import Decimal

from sandbox.billing.charges import Charge
from sandbox.billing.coupon import Discount
from sandbox.billing.invoice_recipient import Recipient
from sandbox.billing.invoice_terms import NO_TERMS, InvoiceTerms
from sandbox.billing.periods import Period
from sandbox.billing.tax_amounts import TaxAmount
from sandbox.resources.prices import Price


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOff:
    """What one discount takes off of a line, or of them all, in minor units."""

    discount: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    id: str
    amount: int
    currency: str
    description: str | None
    period: Period
    price: Price | None
    unit_amount: Decimal | None
    quantity: Decimal | None
    subscription: str | None
    subscription_item: str | None
    invoice_item: str | None
    is_proration: bool
    metadata: dict[str, str]
    is_discountable: bool = True
    discounts: tuple[TakenOff, ...] = ()
    taxes: tuple[TaxAmount, ...] = ()
    included_tax: int = 0
    """What of the amount is tax, before discounts."""

    @property
    def net(self) -> int:
        """What is taxed: the amount less its discounts."""
        return self.amount - sum(part.amount for part in self.discounts)

    @property
    def total(self) -> int:
        """With the taxes that come on top."""
        return self.net + sum(tax.amount for tax in self.taxes if not tax.rate.is_inclusive)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """The subscription an invoice is of, as it was when the draft was made; None of one that is only imagined."""

    subscription: str | None
    metadata: dict[str, str]
    billing_mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    id: str
    created: int
    livemode: bool
    recipient: Recipient
    currency: str
    parent: Parent | None
    billing_reason: str
    collection_method: str
    days_until_due: int | None
    auto_advance: bool
    finalizes_at: int | None
    """When it finalizes by itself, as far as is known; None of what is final or waits to be told."""
    finalizes_as_told: bool = False
    """Whether the caller chose that instant: then no unanswered webhook delays it."""
    description: str | None = None
    footer: str | None = None
    terms: InvoiceTerms = NO_TERMS
    """Its custom fields, tax ids and taxes."""
    discounts: tuple[Discount, ...] = ()
    """Those that it may have when it is drawn, and that it has once it is rated."""
    metadata: dict[str, str]
    period: Period
    charges: tuple[Charge, ...] = ()
    items: tuple[str, ...] = ()
    """The ids of the invoice items it took in."""
    lines: tuple[Line, ...] = ()
    status: str = "draft"
    number: str | None = None
    created_event: str | None = None
    """The id of its `invoice.created`: until that is acknowledged, finalization waits."""
    webhooks_delivered_at: int | None = None
    starting_balance: int = 0
    """The customer's credit when it was last rated: 0, or less."""
    attempts: int = 0
    is_paid_elsewhere: bool = False
    due_date: int | None = None
    finalized_at: int | None = None
    paid_at: int | None = None
    voided_at: int | None = None
    uncollectible_at: int | None = None

    @property
    def customer(self) -> str:
        return self.recipient.customer

    @property
    def subscription(self) -> str | None:
        return None if self.parent is None else self.parent.subscription

    @property
    def subtotal(self) -> int:
        return sum(line.amount for line in self.lines)

    @property
    def subtotal_untaxed(self) -> int:
        return sum(line.amount - line.included_tax for line in self.lines)

    @property
    def total(self) -> int:
        return sum(line.total for line in self.lines)

    @property
    def total_untaxed(self) -> int:
        return self.total - sum(tax.amount for line in self.lines for tax in line.taxes)

    @property
    def taken_off(self) -> list[TakenOff]:
        """What each of its discounts takes off of all lines."""
        parts = [part for line in self.lines for part in line.discounts]
        return [
            TakenOff(
                discount=discount.id,
                amount=sum(part.amount for part in parts if part.discount == discount.id),
            )
            for discount in self.discounts
        ]

    @property
    def due(self) -> int:
        """What the customer owes, less their credit."""
        return max(0, self.total + self.starting_balance)

    @property
    def ending_balance(self) -> int:
        """The credit that it leaves to the next."""
        return min(0, self.total + self.starting_balance)

    @property
    def paid(self) -> int:
        return self.due if self.status == "paid" and not self.is_paid_elsewhere else 0

    @property
    def remaining(self) -> int:
        return 0 if self.status == "paid" else self.due
