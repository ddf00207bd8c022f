"""Late usage on its way: it is never sent into a period whose invoice is final, and carried it is billed once."""

import pytest

from service import invariants
from service.ledger import late
from service.ledger.actions import Order

ADA = Order(actor="ada", reason="an outage")


@pytest.fixture
def closed(path):
    """All of a customer's time up to an hour ago is on a final invoice, and a subscription bills the rest."""

    def close(customer):
        for since, until, invoice in (("-30 days", "-1 hour", "'in_1'"), ("-1 hour", "30 days", "NULL")):
            path.write(
                "INSERT INTO stretch (account, item, price, starts_at, ends_at, subscription, customer,"
                " meter_stripe_id, is_trial, invoice, closed_at)"
                f" SELECT 'default', 'si_1', 'price_1', ledger_now() + interval '{since}',"
                f" ledger_now() + interval '{until}', 'sub_1', '{customer}', stripe_id, false, {invoice},"
                f" CASE WHEN {invoice} IS NOT NULL THEN ledger_now() END FROM meter WHERE meter = 'tokens'"
            )

    return close


def carry(path, text):
    with path.ledger.transaction() as tx:
        return late.carry(tx, "default", late.read_late_id(text), order=ADA, timing=path.settings.timing)


def live_on(path):
    path.write("UPDATE unsealed SET seal_at = ledger_now() - interval '1 s'")
    path.walk()


def test_late_usage_is_not_sent_and_carried_it_is_billed_once(path, closed):
    customer = path.sealed(1)
    path.walk()
    closed(customer)

    path.sealed(5, 7, customer=customer)
    path.walk()
    before = path.counted()
    carry(path, f"in_1/{customer}/tokens")
    carry(path, f"in_1/{customer}/tokens")
    live_on(path)

    assert before == {(customer, "tokens"): "1"}
    assert path.counted() == {(customer, "tokens"): "13"}
    assert path.ask("SELECT 1 FROM attempt JOIN meter_event USING (meter_event_id) WHERE state = 'refused'") == []
    with path.ledger.transaction() as tx:
        assert invariants.check(tx, timing=path.settings.timing) == []


def test_what_stripe_took_too_late_is_carried_beside_what_it_has(path, closed):
    """The closed period has it on no invoice; the open one bills it."""
    customer = path.sealed(5)
    closed(customer)
    path.walk()
    (made,) = path.ask("SELECT meter_event_id FROM late_meter_event")

    carry(path, f"me-{made}")
    live_on(path)

    assert path.counted() == {(customer, "tokens"): "10"}
    assert path.ask("SELECT count(*) FROM late_meter_event") == [0]
    assert path.states() == {"confirmed": 2}


def test_what_is_proven_absent_once_its_invoice_is_final_is_not_sent_anew(path, closed):
    customer = path.sealed(5)
    held_and_absent(path)
    closed(customer)

    path.pass_time(minutes=31)
    path.walk()

    ((state, reason),) = path.ask("SELECT state, reason FROM meter_event WHERE value = 5")
    assert state == "refused"
    assert reason.startswith("late: the invoice in_1")
    assert path.counted().get((customer, "tokens")) is None
    assert path.ask("SELECT units FROM late_meter_event") == [5]


def held_and_absent(path):
    """The one that is sealed is held, and read as absent once, with a canary."""
    path.fault("conflict", times=1)
    path.submitter.turn(path.lease())
    path.write("UPDATE lane SET due_at = NULL")
    path.pass_time(hours=23)
    path.write("UPDATE lane SET due_at = ledger_now()")
    path.walk()
    path.pass_time(hours=3)
    path.sealed(1)
    path.walk()
    path.write("UPDATE meter_event SET read_back_at = NULL")
    path.walk()
