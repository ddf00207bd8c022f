"""Whatever an operator does at the desk, in whatever order and however often, each unit is billed once."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from cli.dead_drain import Drainer
from meterpost.rows import NO_UNITS
from service.ledger.actions import Order
from service.ledger.answers import Acted, Ordered
from service.ledger.desk import Wanted, every_dead_letter
from service.ledger.overview import ledger_time
from service.ledger.remedies import discard, retry
from service.letters import read_letter_id

ADA = Order(actor="ada", reason="because")


@pytest.mark.parametrize("seed", range(4))
def test_a_held_meter_event_whose_call_had_landed_is_billed_once_whatever_the_operator_does(path, seed):
    customer = held(path, "reply_lost")

    operate(path, random.Random(seed), steps=25)
    path.walk()

    assert path.states() == {"confirmed": 1}
    assert path.counted() == {(customer, "tokens"): "5"}
    assert path.audit()["applied_twice"] == []
    assert len(path.calls()) == 1


def test_a_resend_without_proof_would_have_billed_twice(path):
    """The control: were the desk to send what is held, the auditor would see it."""
    customer = held(path, "reply_lost")
    path.pass_time(hours=2)

    path.write(
        "UPDATE meter_event SET state = 'sealed', reason = NULL, due_at = ledger_now(), generation = 2;"
        " INSERT INTO generation (meter_event_id, generation, identifier) SELECT meter_event_id, 2, 'another'"
        " FROM meter_event; UPDATE lane SET due_at = ledger_now()"
    )
    path.send()

    assert path.counted() == {(customer, "tokens"): "10"}


@pytest.mark.parametrize("seed", range(4))
def test_a_held_meter_event_that_never_landed_is_sent_on_proof_alone_and_billed_once(path, seed):
    customer = held(path, "conflict")
    operate(path, random.Random(seed), steps=15)
    assert path.ask("SELECT max(generation) FROM meter_event") == [1]

    other = path.sealed(1)
    for hours in (3, 1, 1):
        path.walk()
        path.pass_time(hours=hours)
        operate(path, random.Random(seed), steps=5)
    path.walk()

    assert path.counted() == {(customer, "tokens"): "5", (other, "tokens"): "1"}
    assert path.audit()["applied_twice"] == []
    assert path.states() == {"confirmed": 2}


def test_a_refused_meter_event_is_billed_once_after_its_cause_is_mended(path):
    customer = path.sealed(5)
    (meter,) = path.gateway.list_meters()
    path.stripe.v1.billing.meters.deactivate(meter.stripe_id)
    path.walk()
    assert path.states() == {"refused": 1}
    path.stripe.v1.billing.meters.reactivate(meter.stripe_id)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: act(path, retry, timing=path.settings.timing), range(8)))
    path.walk()

    assert path.states() == {"confirmed": 1}
    assert path.counted() == {(customer, "tokens"): "5"}
    assert path.ask("SELECT state_before, state_after FROM operator_action") == [("refused", "sealed")]


def test_what_is_retried_before_its_cause_is_mended_comes_back_to_the_desk_and_a_drain_ends(path):
    path.sealed(1, 2, 3)
    (meter,) = path.gateway.list_meters()
    path.stripe.v1.billing.meters.deactivate(meter.stripe_id)
    path.walk()

    assert drain(path, "refused") == 3
    path.walk()

    assert path.states() == {"refused": 3}
    assert path.ask("SELECT generation FROM meter_event") == [2, 2, 2]
    assert path.counted() == {}


def test_a_discarded_held_meter_event_is_never_sent_again_even_on_proof_of_absence(path):
    held(path, "conflict")
    path.walk()
    assert isinstance(act(path, discard), Acted)
    other = path.sealed(1)

    for hours in (3, 1, 1):
        path.walk()
        path.pass_time(hours=hours)
    path.walk()

    assert path.ask("SELECT value, state, generation FROM meter_event ORDER BY value") == [
        (1, "confirmed", 1),
        (5, "held", 1),
    ]
    assert path.counted() == {(other, "tokens"): "1"}


def test_a_dry_drain_sends_nothing(path):
    held(path, "conflict")
    path.walk()

    assert drain(path, "held", is_dry=True) == 1

    assert path.ask("SELECT 1 FROM operator_action") == []


def held(path, fault):
    """A meter event of 5 whose only call went wrong, 23 hours ago; the next look at it holds it."""
    path.fault(fault, times=1)
    customer = path.sealed(5)
    path.submitter.turn(path.lease())
    path.pass_time(hours=23)
    path.send()
    assert path.states() == {"held": 1}
    return customer


def operate(path, chance, *, steps):
    """An operator who believes in trying again, while the workers do their work."""
    choices = [
        lambda: act(path, retry, timing=path.settings.timing),
        lambda: drain(path, "held"),
        lambda: drain(path, "refused"),
        path.send,
        path.reconciler.confirm_due,
        path.walk,
        lambda: path.pass_time(minutes=1),
    ]
    for _ in range(steps):
        chance.choice(choices)()


def act(path, what, **more):
    (number,) = path.ask("SELECT min(meter_event_id) FROM meter_event")
    with path.ledger.transaction() as tx:
        return what(Ordered(tx=tx, letter=read_letter_id(f"me-{number}"), order=ADA), **more)


def drain(path, of_class, *, is_dry=False):
    with path.ledger.transaction() as tx:
        until, wanted = ledger_time(tx), Wanted(class_=of_class)
        wait, timing = timedelta(0), path.settings.timing
        more = {
            "look": lambda: None,
            "is_dry": is_dry,
            "is_silent": True,
            "units": NO_UNITS,
        }  # nothing was restored here
        drainer = Drainer(tx, ADA, timing=timing, wait=wait, **more)
        return drainer.drain(every_dead_letter(tx, wanted, until=until), letters=0).counts["acted"]
