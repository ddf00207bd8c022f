"""Usage of a customer without subscription, from its first row to the invoice of a subscription that is made for it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.ledger import mirrors
from service.ledger.actions import Order
from service.ledger.alarms import waive_alarm
from service.mirrors import Mirror, mirror
from service.unbilled import Unbilled
from workers._alarming import kinds_for
from workers._watching import Watcher
from workers.seal import Sealer

OPEN_ID = "SELECT alarm_id FROM alarm WHERE cleared_at IS NULL"
OPEN = "SELECT kind, customer, units FROM alarm WHERE cleared_at IS NULL AND kind = 'unbilled'"


def watch(path: Any, unbilled: Unbilled = Unbilled.WARN) -> list[Any]:
    """What is unbilled, asked as reconcile asks it a little later."""
    path.write("UPDATE ledger_clock SET ahead_by = ahead_by + interval '20 s'")
    timing, kinds = path.settings.timing, kinds_for(unbilled)
    Watcher(path.ledger, path.gateway, "default", timing=timing, kinds=kinds).watch_due()
    return list(path.ask(OPEN))


def tell(path: Any, subscription: str) -> None:
    """As `apply` does on its event."""
    told = path.gateway.objects.retrieve("subscription", subscription)
    read = mirror(told, kind="subscription", as_of=datetime.now(UTC))
    assert isinstance(read, Mirror)
    with path.ledger.transaction() as tx:
        mirrors.put_mirrors(tx, "default", [read])


def test_usage_of_nobody_is_an_alarm_before_its_bucket_is_due_and_a_backdated_subscription_clears_it(path):
    meter, customer = path.make_meter("tokens"), path.make_customer()
    path.client.usage(customer, "tokens", 7)
    path.record()
    assert path.seal() == 0
    alarmed = watch(path)
    begun = int((datetime.now(UTC) - timedelta(hours=1)).timestamp())
    tell(path, path.subscribe(customer, meter, backdate_start_date=begun).id)

    assert (alarmed, watch(path)) == ([("unbilled", customer, 7)], [])


@pytest.mark.parametrize("unbilled", list(Unbilled))
def test_usage_of_a_meter_that_does_not_exist_is_an_alarm_under_every_setting(path, unbilled):
    customer = path.make_customer()
    path.client.usage(customer, "never_heard_of", 7)
    path.record()
    path.seal()

    assert watch(path, unbilled) == [("unbilled", customer, 7)]


@pytest.mark.parametrize("unbilled", list(Unbilled))
def test_the_first_row_of_a_meter_that_was_made_just_now_is_no_alarm_that_it_is_missing(path, unbilled, an_hour_ago):
    meter, customer = path.make_meter("tokens"), path.make_customer()
    path.client.usage(customer, "tokens", 3, occurred_at=an_hour_ago)
    path.walk()
    path.subscribe(customer, meter)
    exports = path.make_meter("exports")
    tell(path, path.subscribe(customer, exports, backdate_start_date=int(an_hour_ago.timestamp())).id)
    path.client.usage(customer, "exports", 7)
    path.record()
    path.seal()

    assert [units for *_, units in watch(path, unbilled)] == ([] if unbilled is Unbilled.SEND else [3])


def waive(path: Any) -> list[Any]:
    with path.ledger.transaction() as tx:
        waive_alarm(tx, "default", path.ask(OPEN_ID)[0], order=Order(actor="ada", reason="a present"))
    return watch(path)


def test_usage_that_was_waived_before_it_was_sealed_stays_so_and_more_of_it_is_an_alarm(path):
    path.make_meter("tokens")
    customer = path.make_customer()
    path.client.usage(customer, "tokens", 7)
    assert (path.record(), path.seal()) == (1, 0)
    alarmed, waived = watch(path), waive(path)
    path.pass_time(minutes=10)
    assert path.seal() == 1
    sealed = watch(path)
    path.client.usage(customer, "tokens", 5)
    path.record()

    assert (alarmed, waived, sealed) == ([("unbilled", customer, 7)], [], [])
    assert watch(path) == [("unbilled", customer, 12)]


def test_usage_that_was_sent_before_its_subscription_was_made_is_on_its_invoice(path, an_hour_ago):
    meter, customer = path.make_meter("tokens"), path.make_customer()
    path.client.usage(customer, "tokens", 7, occurred_at=an_hour_ago)
    path.walk()
    alarmed = watch(path)
    tell(path, path.subscribe(customer, meter, backdate_start_date=int(an_hour_ago.timestamp())).id)
    cleared = watch(path)
    path.pass_time(days=32)

    (invoice,) = path.stripe.v1.invoices.list({"customer": customer}).data
    assert (alarmed, cleared) == ([("unbilled", customer, 7)], [])
    assert (invoice.status, invoice.total) == ("paid", 7)


def test_usage_that_is_kept_back_is_sealed_when_its_subscription_is_told(path, an_hour_ago):
    meter, customer = path.make_meter("tokens"), path.make_customer()
    path.sealer = Sealer(path.ledger, path.gateway, "default", timing=path.settings.timing, unbilled=Unbilled.HOLD)
    path.client.usage(customer, "tokens", 7, occurred_at=an_hour_ago)
    path.walk()
    kept_back = path.states()
    tell(path, path.subscribe(customer, meter, backdate_start_date=int(an_hour_ago.timestamp())).id)
    path.walk()

    assert (kept_back, path.states()) == ({}, {"confirmed": 1})
