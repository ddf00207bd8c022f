"""The demo's business at Stripe: two meters, their prices, and customers whose subscriptions began three weeks ago.

This is what a user of ours has at Stripe before the first row, so it is made with Stripe's own library.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import stripe

from service.event_types import THIN_TYPES

API_VERSION: Final = "2026-10-28.endive"
BACKDATED = timedelta(days=25)  # within Stripe's 35 days, so that all of the demo's usage falls into the first period
INCLUDED_UNITS = 1_000_000
CENTS_A_UNIT = Decimal("0.1")  # $0.001


stripe.enable_telemetry = False  # it would write a file below HOME


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """One customer, what it is metered by, and the subscription that bills it."""

    customer: str
    meter: str
    subscription: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    units: Subscribed  # whose usage the application reports
    file: Subscribed  # whose usage stands in a file
    webhook_secrets: str  # of both destinations, as the setting wants them


def open_shop(key: str, *, api_base: str, webhook_url: str) -> Shop:
    """Create everything at Stripe; webhooks go to `webhook_url`, which need not listen yet."""
    client = stripe.StripeClient(key, stripe_version=API_VERSION, base_addresses={"api": api_base})
    webhook_secrets = _open_destinations(client, webhook_url)
    own_keys: stripe.params.billing.MeterCreateParams = {
        "display_name": "Tokens",
        "event_name": "tokens",
        "default_aggregation": {"formula": "sum"},
        "customer_mapping": {"type": "by_id", "event_payload_key": "customer_id"},
        "value_settings": {"event_payload_key": "tokens"},
    }
    usual_keys: stripe.params.billing.MeterCreateParams = {
        "display_name": "API requests",
        "event_name": "api_requests",
        "default_aggregation": {"formula": "sum"},
    }
    units, file = _subscribe(client, own_keys), _subscribe(client, usual_keys)
    return Shop(units=units, file=file, webhook_secrets=webhook_secrets)


def _open_destinations(client: stripe.StripeClient, webhook_url: str) -> str:
    """One for snapshots and one for thin events; their secrets."""
    endpoint = client.v1.webhook_endpoints.create(
        {"url": webhook_url, "enabled_events": ["*"], "api_version": API_VERSION}
    )
    thin = client.v2.core.event_destinations.create(
        {
            "name": "meterpost",
            "type": "webhook_endpoint",
            "event_payload": "thin",
            "enabled_events": list(THIN_TYPES),
            "webhook_endpoint": {"url": webhook_url},
            "include": ["webhook_endpoint.signing_secret"],
        }
    )
    assert thin.webhook_endpoint is not None, "it was made as one"
    return f"{endpoint.secret},{thin.webhook_endpoint.signing_secret}"


def _subscribe(client: stripe.StripeClient, meter: stripe.params.billing.MeterCreateParams) -> Subscribed:
    made = client.v1.billing.meters.create(meter)
    price = client.v1.prices.create(
        {
            "currency": "usd",
            "product_data": {"name": made.display_name},
            "recurring": {"interval": "month", "usage_type": "metered", "meter": made.id},
            "billing_scheme": "tiered",
            "tiers_mode": "graduated",
            "tiers": [
                {"up_to": INCLUDED_UNITS, "unit_amount_decimal": Decimal(0)},
                {"up_to": "inf", "unit_amount_decimal": CENTS_A_UNIT},
            ],
        }
    )
    customer = client.v1.customers.create({"name": f"A customer of {made.display_name}"})
    subscription = client.v1.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": price.id}],
            "backdate_start_date": int((datetime.now(UTC) - BACKDATED).timestamp()),
            "proration_behavior": "none",
        }
    )
    return Subscribed(customer=customer.id, meter=made.event_name, subscription=subscription.id)
