"""What a scenario plays of drafts that are held open: Ada's has usage on its way, Bob's is final before it is held."""

import time
from datetime import timedelta
from typing import Any

from chaos.crashes.place import LEASE_IS_OVER, Place, asked_again
from chaos.crashes.visitors import deliver

PERIOD = timedelta(days=7)
LEFT = timedelta(hours=6)  # of the period in which the rows are; the next one ends after the case
INTO_GRACE = timedelta(minutes=10)
GRACE_IS_OVER = timedelta(hours=2)
LOOKS_MAX = 20  # at Stripe's list of events


def drafts_of_two(place: Place) -> None:
    """Both periods are over, and the drafts are known; a person has finalized Bob's, of which nobody has heard."""
    place.setup.gateway.account()  # the ledger is this account's from here on
    meter = place.make_meter("tokens")
    recurring = {"interval": "week", "usage_type": "metered", "meter": meter.id}
    price = {"currency": "usd", "unit_amount": 1, "product_data": {"name": "Tokens"}, "recurring": recurring}
    made = place.stripe.v1.prices.create(price)  # type: ignore[arg-type]  # a dict, as stripe's own words have it
    began = int(time.time() - (PERIOD - LEFT).total_seconds())
    for name, more in (("ada", {}), ("bob", {"collection_method": "send_invoice", "days_until_due": 30})):
        told: Any = {"customer": place.make_customer(name), "items": [{"price": made.id}], **more}
        place.stripe.v1.subscriptions.create(told | {"backdate_start_date": began})
    owes: Any = {"customer": place.notes.customers["bob"], "amount": 1, "currency": "usd"}
    place.stripe.v1.invoice_items.create(owes)  # as Stripe would collect nothing of an invoice of nothing
    place.use("ada", "tokens", 1, 2)
    place.pass_time(LEFT + INTO_GRACE)
    _hear(place)
    place.stripe.v1.invoices.finalize_invoice(_invoice(place, "bob").id)


def keep_drafts(place: Place) -> None:
    """They are looked at until Stripe's time for them is over, and a little longer."""
    for passed in (timedelta(0), LEASE_IS_OVER, GRACE_IS_OVER, LEASE_IS_OVER):
        place.pass_time(passed)
        place.walk()


def hear_of_one_and_keep_drafts(place: Place) -> None:
    """What became of Bob's is heard by then, and of Ada's nothing ever: it is found by asking again."""
    of_bob = _invoice(place, "bob").id
    asked: Any = {"type": "invoice.*", "limit": 100}
    for told in place.stripe.v1.events.list(asked).data:
        if told.data.object["id"] == of_bob:
            deliver(place, told.to_dict(for_json=True))
    keep_drafts(place)


def invoiced(place: Place) -> dict[str, int]:
    """As Stripe has it: nothing is held, everything is finalized once and billed."""
    found = [_invoice(place, name) for name in ("ada", "bob")]
    asked: Any = {"type": "invoice.finalized", "limit": 100}
    finalized = [one.data.object["id"] for one in place.stripe.v1.events.list(asked).data]
    return {
        "invoices that advance or are paid": sum(one.auto_advance or one.status == "paid" for one in found),
        "finalizations": sum(finalized.count(one.id) for one in found),
        "units invoiced": sum(line.quantity or 0 for line in found[0].lines.data),
    }


def _invoice(place: Place, name: str) -> Any:
    """Of the period that is over."""
    told = place.stripe.v1.invoices.list({"customer": place.notes.customers[name]}).data
    (found,) = (one for one in told if one.billing_reason == "subscription_cycle")
    return found


def _hear(place: Place) -> None:
    for step in (place.catch_up.catch_up_due, lambda: place.applier.apply_due("default")):
        for _ in range(LOOKS_MAX):
            if asked_again(step) == 0:
                break
