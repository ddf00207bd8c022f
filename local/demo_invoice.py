"""The demo's last step: the sandbox's clock passes the end of the period, and Stripe closes the invoice.

Not a preview: the draft opens, the grace hour passes, the quantities are counted once more and the invoice is final.
"""

from dataclasses import dataclass

import stripe

from local.demo_shop import API_VERSION
from local.sandbox import ask_sandbox

PAST_GRACE_S = 2 * 3_600  # the draft is final an hour after the period's end


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """What the customer is asked to pay, in the currency's minor unit, and for how many units."""

    number: str
    status: str
    units: int
    amount: int
    currency: str


def close_period(key: str, *, api_base: str, subscription: str) -> Invoice:
    """Move Stripe's clock past the current period of the subscription; returns the period's invoice."""
    v1 = stripe.StripeClient(key, stripe_version=API_VERSION, base_addresses={"api": api_base}).v1
    item = v1.subscriptions.retrieve(subscription)["items"].data[0]
    ask_sandbox(api_base, "/_sandbox/clock", {"to": item.current_period_end + PAST_GRACE_S})
    invoice = v1.invoices.list({"subscription": subscription}).data[0]
    return Invoice(
        number=invoice.number or "a draft",
        status=str(invoice.status),
        units=sum(line.quantity or 0 for line in invoice.lines.data),
        amount=invoice.total,
        currency=invoice.currency,
    )
