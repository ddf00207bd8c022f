"""What many a service does: one call a job, with the SDK's own retries, and RQ's retry where it raised."""

import os
from typing import Any

import stripe


def send(message: dict[str, Any]) -> None:
    """Report a message's usage to Stripe."""
    stripe.api_key = os.environ["STRIPE_SECRET_KEY"]
    stripe.api_base = os.environ["STRIPE_API_BASE"]
    stripe.enable_telemetry = False
    stripe.billing.MeterEvent.create(
        event_name=message["meter"],
        payload={"stripe_customer_id": message["customer"], "value": str(message["value"])},
        timestamp=message["timestamp"],
    )
