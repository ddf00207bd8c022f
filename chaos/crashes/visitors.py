"""What a scenario plays of those who come from outside: Stripe with its events, a person at the desk, a migration."""

import hmac
import json
import time
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from chaos.crashes.ground import ACCOUNT, WEBHOOK_SECRET
from chaos.crashes.place import TIMING, Place, asked_again
from chaos.crashes.stories import rows_of_three, walk_twice
from cli.main import run
from service.catching_up import KEPT
from service.witness import RedisWitness, Witness

SENT_UNTIL_200_MAX = 3
PASSES_MAX = 20  # of the catch-up; a month is read in four
SUMMARIES_SHOW = timedelta(hours=1)
ORDER = ("--reason", "a case of crashes", "--actor", "ada")


def subscribed(place: Place) -> None:
    meter = place.make_meter("tokens")
    recurring = {"interval": "month", "usage_type": "metered", "meter": meter.id}
    price = {"currency": "usd", "unit_amount": 1, "product_data": {"name": "Tokens"}, "recurring": recurring}
    made = place.stripe.v1.prices.create(price)  # type: ignore[arg-type]  # a dict, as stripe's own words have it
    customer = place.make_customer("ada")
    subscription = place.stripe.v1.subscriptions.create({"customer": customer, "items": [{"price": made.id}]})
    place.notes.words["subscription"] = json.dumps(subscription.to_dict(), default=str)


def deliver_and_apply(place: Place) -> None:
    """Two words of one second (Stripe must be asked), one of no effect, one of what Stripe does not know."""
    subscription = json.loads(place.notes.words["subscription"])
    told = [
        ("product.created", {"id": "prod_1", "object": "product"}),
        ("customer.subscription.updated", subscription),
        ("customer.subscription.updated", {**subscription, "status": "past_due"}),
        ("invoice.created", {"id": "in_gone", "object": "invoice"}),
    ]
    head = {"object": "event", "created": place.hour(), "livemode": False}
    for number, (type_, about) in enumerate(told):
        deliver(place, {**head, "id": f"evt_{number}", "type": type_, "data": {"object": about}})
    walk_twice(place)


def deliver(place: Place, event: Mapping[str, Any]) -> None:
    """As Stripe does: until it is told 200."""
    body = json.dumps(event).encode()
    for _ in range(SENT_UNTIL_200_MAX):
        stamp = str(int(time.time()))
        signature = hmac.new(WEBHOOK_SECRET.encode(), f"{stamp}.".encode() + body, sha256).hexdigest()
        header = {"Stripe-Signature": f"t={stamp},v1={signature}"}
        if place.door.post("/stripe/webhook", data=body, headers=header).status_code == HTTPStatus.OK:
            return
    raise AssertionError("the door refuses what Stripe signed")


def subscribed_unheard(place: Place) -> None:
    """Nobody stands at the door."""
    place.setup.gateway.account()  # the ledger is this account's from here on
    subscribed(place)


def catch_up_and_apply(place: Place) -> None:
    """No webhook comes; Stripe's lists are read, and once more when no delivery can be hoped for."""
    for passed in (timedelta(0), timedelta(seconds=TIMING.missed_after_s + TIMING.drain_s)):
        place.pass_time(passed)
        for _ in range(PASSES_MAX):
            if asked_again(place.catch_up.catch_up_due) == 0:
                break
    place.walk()


def catch_up_and_be_away(place: Place) -> None:
    """For longer than Stripe keeps events, of which one is of before and one of the last days."""
    place.catch_up.catch_up_due()
    place.make_customer("ada")
    place.pass_time(KEPT + timedelta(days=2))
    place.make_customer("bob")


def refused_two(place: Place) -> None:
    """Two refused meter events whose cause is mended by now, and a row in quarantine."""
    place.make_meter("tokens")
    for name in ("ada", "bob"):
        place.make_customer(name)
        place.use(name, "tokens", 5)
    place.put({"customer": "nobody"})
    place.recorder.record_some()
    place.sealer.seal_due()
    place.stripe.v1.billing.meters.deactivate(place.notes.words["tokens"])
    place.walk()
    place.stripe.v1.billing.meters.reactivate(place.notes.words["tokens"])


ORDERS = (
    ("dead", "retry", "me-1", *ORDER),
    ("dead", "discard", "q-1", *ORDER),
    ("dead", "drain", "--class", "refused", "--yes", "--rate", "1000/s", *ORDER),
    ("pause", *ORDER),
    ("resume", *ORDER),
)


def operate(place: Place) -> None:
    for order in ORDERS:
        run(order)
    place.walk()


def operate_again(_: Place) -> None:
    """A person who was told nothing asks again."""
    for order in (*ORDERS[:3], ORDERS[-1]):
        run(order)


def forgotten(place: Place) -> None:
    """A witness in Redis knows a call that the ledger does not; one meter event is sealed, one row is not."""
    place.make_meter("tokens")
    for name in ("ada", "bob"):
        place.make_customer(name)
    place.use("ada", "tokens", 5)
    place.recorder.record_some()
    place.sealer.seal_due()
    place.use("bob", "tokens", 1)
    witness = Witness(attempt_id=999, idempotency_key="mp-forgotten", at="2026-01-01T00:00:00+00:00")
    RedisWitness(place.setup.redis, ACCOUNT, is_live=False).keep(witness)


def confirm_restore(place: Place) -> None:
    place.walk()
    run(("reconcile", "--epoch"))
    place.pass_time(SUMMARIES_SHOW)
    run(("reconcile", "--epoch"))
    run(("reconcile", "--epoch", "--confirm", "--yes", *ORDER))
    place.walk()


def migrate(_: Place) -> None:
    run(("migrate",))


def migrate_and_begin(place: Place) -> None:
    migrate(place)
    migrate(place)  # as a person does who was told that it failed
    rows_of_three(place)
    place.walk()
