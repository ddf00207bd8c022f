"""A subscription that nobody has made: what its first invoice would be, for a preview of its items alone."""

from dataclasses import dataclass, field

from sandbox.billing.charges import Charge
from sandbox.billing.coupon import Discount
from sandbox.billing.invoice_terms import NO_TERMS, InvoiceTerms
from sandbox.billing.periods import Period, boundary
from sandbox.resources.subscription_items import SubscriptionItem

NOWHERE = ""
"""Its id: it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imagined:
    customer: str
    items: tuple[SubscriptionItem, ...]
    start_date: int
    billing_mode: str
    id: str = NOWHERE
    metadata: dict[str, str] = field(default_factory=dict)
    collection_method: str = "charge_automatically"
    days_until_due: int | None = None
    discounts: tuple[Discount, ...] = ()
    invoice_terms: InvoiceTerms = NO_TERMS

    @property
    def currency(self) -> str:
        return self.items[0].price.currency

    @property
    def anchor(self) -> int:
        return self.start_date

    def first_charges(self) -> list[Charge]:
        """What is paid ahead; of metered items the usage so far, which is none."""
        return [
            Charge(subscription=NOWHERE, customer=self.customer, item=item, period=self._first_period(item))
            for item in self.items
        ]

    def _first_period(self, item: SubscriptionItem) -> Period:
        is_metered = item.recurring.meter is not None
        end = self.start_date if is_metered else boundary(self.start_date, 1, interval=item.interval)
        return Period(start=self.start_date, end=end)
