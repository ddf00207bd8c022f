"""An invoice item: an amount that waits for the next invoice of a customer or of one subscription.

Made by a caller, or by the removal of a metered item, whose usage so far is kept this way until the next invoice.
"""

from dataclasses import dataclass
from decimal import Decimal

from sandbox.billing.periods import Period
from sandbox.resources.prices import Price


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceItem:
    id: str
    created: int
    livemode: bool
    customer: str
    subscription: str | None
    subscription_item: str | None = None
    invoice: str | None = None
    """The invoice that took it in; None while it is pending."""
    was_pending: bool = True
    """False where it was made for its invoice, and goes with it."""
    amount: int
    currency: str
    quantity: Decimal
    unit_amount: Decimal | None
    price: Price | None = None
    period: Period
    description: str | None
    is_discountable: bool = True
    is_proration: bool = False
    metadata: dict[str, str]
