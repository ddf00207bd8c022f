"""A charge: one item of a subscription for one period, before it is rated.

Between `cycle`, which says which charges fall due when, and `invoicing`, which makes lines and invoices of them. It
holds no quantity: usage is counted when it is rated, at the draft and once more at its finalization.
"""

from dataclasses import dataclass
from fractions import Fraction

from sandbox.billing.periods import Period
from sandbox.resources.subscription_items import SubscriptionItem

WHOLE = Fraction(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    subscription: str
    customer: str
    item: SubscriptionItem
    period: Period
    """Of a metered item the usage to bill, start included, end excluded; of a licensed one what is paid ahead."""
    is_free: bool = False
    """Of a trial: shown with its quantity, at 0."""
    share: Fraction = WHOLE
    """Of a licensed item's price, where the period is only a part of an interval."""

    @property
    def is_proration(self) -> bool:
        return self.share != WHOLE
