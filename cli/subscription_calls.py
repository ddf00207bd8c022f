"""How many calls to Stripe a subscription takes, told before they are made: at most, where nothing fails."""

from collections.abc import Mapping

from meterpost.subscription import SubscriptionRow

MINUTE_S, HOUR_S = 60, 3_600


def calls_of(row: SubscriptionRow, done: Mapping[str, int] | None = None) -> int:
    """What is `done` of its steps is not called for again, but for the list, which must be young."""
    done = done or {}
    calls = 2 + (0 if done.get("price") else 1)  # the list and the creation
    tax_ids = len(row.customer_tax_ids) - done.get("tax_id", 0)
    if tax_ids > 0:
        calls += 1 + tax_ids  # those that the customer has are looked at once
    if row.payment_method is not None and not done.get("payment_method"):
        calls += 2  # whose it is, and the attachment
    if row.setup_fee is not None and not done.get("product"):
        calls += 1
    return calls


def duration_of(calls: int, *, calls_per_s: int) -> str:
    """About how long they take at that rate, if nothing else is called for."""
    seconds = -(-calls // calls_per_s)
    if seconds < 2 * MINUTE_S:
        return f"{seconds} s"
    if seconds < 2 * HOUR_S:
        return f"{-(-seconds // MINUTE_S)} min"
    return f"{seconds // HOUR_S} h {seconds % HOUR_S // MINUTE_S} min"
