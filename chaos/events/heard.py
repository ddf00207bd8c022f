"""The other way round: what happened at Stripe while everything broke, and whether each event of it was heard.

Subscriptions change at Stripe during a run. Every event must be recorded once and applied, whatever was delivered
twice, late or in another order, and the mirrors must say what Stripe says in the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import stripe

from chaos.ledger import ask_ledger
from service.gateway import API_VERSION

BACKDATED = timedelta(days=20)
EVENTS = "SELECT event_id, state FROM event"
MIRRORS = "SELECT subscription, object -> 'metadata' ->> 'step' FROM subscription"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    told: int  # events that Stripe made
    recorded: int
    missing: tuple[str, ...]
    unapplied: tuple[str, ...]
    stale: tuple[str, ...]  # subscriptions whose mirror is not what Stripe says

    def wrongs(self) -> list[str]:
        return [
            *(f"an event that was not recorded: {event_id}" for event_id in self.missing),
            *(f"an event that was not applied: {event_id}" for event_id in self.unapplied),
            *(f"a mirror that is not as Stripe has it: {subscription}" for subscription in self.stale),
        ]


def connect(key: str, url: str) -> stripe.StripeClient:
    return stripe.StripeClient(key, stripe_version=API_VERSION, base_addresses={"api": url})


def subscribe(client: stripe.StripeClient, meter: str, customers: Sequence[str]) -> list[str]:
    """A subscription for each of these customers on one price of the meter; returns their ids."""
    price = client.v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": 1,
            "recurring": {"interval": "month", "usage_type": "metered", "meter": meter},
            "product_data": {"name": "Chaos"},
        }
    )
    since = int((datetime.now(UTC) - BACKDATED).timestamp())
    return [
        client.v1.subscriptions.create(
            {
                "customer": customer,
                "items": [{"price": price.id}],
                "backdate_start_date": since,
                "proration_behavior": "none",
            }
        ).id
        for customer in customers
    ]


def change(client: stripe.StripeClient, subscription: str, *, step: int) -> None:
    """Something happens to a subscription, of which Stripe tells."""
    client.v1.subscriptions.update(subscription, {"metadata": {"step": str(step)}})


def hear(client: stripe.StripeClient, *, database_url: str) -> Heard:
    """What Stripe told so far, and what became of it here."""
    told = [event.id for event in client.v1.events.list({"limit": 100}).auto_paging_iter()]
    at_stripe = {
        each.id: each.metadata.to_dict().get("step")
        for each in client.v1.subscriptions.list({"limit": 100}).auto_paging_iter()
    }
    states: dict[str, str] = dict(ask_ledger(database_url, EVENTS))
    mirrors: dict[str, str | None] = dict(ask_ledger(database_url, MIRRORS))
    return Heard(
        told=len(told),
        recorded=len(states),
        missing=tuple(event_id for event_id in told if event_id not in states),
        unapplied=tuple(event_id for event_id, state in states.items() if state not in {"applied", "ignored"}),
        stale=tuple(subscription for subscription, step in at_stripe.items() if mirrors.get(subscription) != step),
    )
