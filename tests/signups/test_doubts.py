"""What may have been made: found, or proven absent, and never made twice, however long it takes and whoever dies."""

from contextlib import suppress
from dataclasses import replace

import pytest

from local.sandbox import ask_sandbox
from service import crash_points
from service.crash_points import CrashPointReached, Kind
from service.ledger import mirrors
from service.ledger.overview import ledger_time
from service.ledger.remedies import retry
from service.mirrors import mirror
from service.timing import FAST

POINTS = ["after_token", "before_open_commit", "after_open_commit", "before_call", "after_call", "before_close_commit"]
POINTS += ["after_close_commit", "before_release_commit", "after_release_commit"]
FORGET = """
SET LOCAL session_replication_role = replica;
DELETE FROM signup_attempt; DELETE FROM signup_step; DELETE FROM signup_listing;
UPDATE signup SET state = 'due', due_at = now(), subscription = NULL, creation = NULL;
UPDATE signup_lane SET due_at = now()
"""
PATIENT = replace(FAST, call_deadline_s=2, backoff_base_s=900, backoff_max_s=900)


@pytest.fixture
def patient(shop):
    """Backs off for minutes."""
    subscriber = shop.another_subscriber(timing=PATIENT)
    subscriber._chance.seed(1)
    return subscriber


@pytest.fixture
def disarmed():
    yield
    crash_points.disarm()


def set_sandbox(shop, **settings):
    ask_sandbox(shop.sandbox.url, "/_sandbox/settings", {"account": shop.stripe_account, **settings})


@pytest.mark.parametrize("lag_s", [0, 30 * 3600 + 1])
def test_an_answer_that_was_lost_is_found_after_both_keys_are_forgotten(shop, patient, lag_s):
    set_sandbox(shop, subscription_list_lag_s=lag_s)
    shop.fault("reply_lost", times=1)
    customer = shop.tell()
    patient.turn(shop.lease())
    shop.pass_time(hours=30)

    for _ in range(4):
        shop.work()
        shop.pass_time(seconds=3)

    assert shop.states() == {"s1": "created"}
    assert len(shop.made(customer)) == 1
    assert shop.steps().count("create+") == 1


@pytest.mark.parametrize("lag_s", [0, 3])
def test_a_call_that_never_came_is_made_under_the_next_key_once_two_lists_prove_it(shop, patient, lag_s):
    set_sandbox(shop, subscription_list_lag_s=lag_s)
    shop.fault("connection_reset", times=1)
    customer = shop.tell()
    patient.turn(shop.lease())
    shop.pass_time(hours=30)

    for _ in range(4):
        shop.work()
        shop.pass_time(seconds=3)

    assert shop.states() == {"s1": "created"}
    assert len(shop.made(customer)) == 1
    assert shop.ask("SELECT key_number FROM signup") == [1]


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_that_dies_anywhere_leaves_what_the_next_one_mends(shop, disarmed, point):
    customer = shop.tell(customer_tax_ids=[("us_ein", "12-3456789")])
    for nth in (1, 4):
        crash_points.arm(f"subscribe.{point}", Kind.EXCEPTION, nth=nth)
        with suppress(CrashPointReached):
            shop.another_subscriber().drain("default", 0)
        shop.pass_time(seconds=6)
    crash_points.disarm()
    shop.work()

    assert shop.states() == {"s1": "created"}
    assert len(shop.made(customer)) == 1
    assert len(shop.stripe.v1.customers.tax_ids.list(customer).data) == 1


def test_a_worker_that_slept_through_its_lease_does_not_call(shop):
    customer = shop.tell()
    stopped, lease = shop.another_subscriber(), shop.lease()
    call = stopped._open(lease)

    asleep = replace(call, leased_at_s=call.leased_at_s - 60)
    stopped._close(asleep, stopped._make(asleep, token_s=0.0), lease=lease)

    assert shop.ask("SELECT outcome, code FROM signup_attempt") == [("unavailable", "not_made")]
    assert shop.made(customer) == []


def test_a_late_answer_settles_what_its_heir_has_called_lost(shop):
    customer = shop.tell()
    stopped, lease = shop.another_subscriber(), shop.lease()
    for _ in range(2):
        call = stopped._open(lease)
        stopped._close(call, stopped._make(call, token_s=0.0), lease=lease)
    call = stopped._open(lease)
    ended = stopped._make(call, token_s=0.0)
    shop.pass_time(seconds=6)
    heir = shop.lease()
    shop.another_subscriber()._close_dead_calls(heir)
    assert shop.states() == {"s1": "unknown"}

    stopped._close(call, ended, lease=lease)

    assert shop.states() == {"s1": "created"}
    assert len(shop.made(customer)) == 1


def test_a_word_of_stripes_settles_what_is_in_doubt(shop, patient):
    customer = shop.tell()
    shop.fault("reply_lost", times=1)
    patient.turn(shop.lease())
    assert shop.states() == {"s1": "unknown"}

    (made,) = shop.made(customer)
    told(shop, made)

    assert shop.ask("SELECT state, subscription, due_at FROM signup") == [("created", made.id, None)]


def test_a_second_subscription_of_one_row_is_a_conflict_and_never_silent(shop):
    customer = shop.tell()
    shop.work()
    (made,) = shop.made(customer)
    metadata = {"meterpost_row": made.metadata["meterpost_row"]}
    again = shop.stripe.v1.subscriptions.create(
        {"customer": customer, "items": [{"price": shop.price}], "metadata": metadata}
    )

    told(shop, again)

    ((state, reason),) = shop.ask("SELECT state, reason FROM signup")
    assert state == "conflict"
    assert {made.id, again.id} <= set(reason.replace(",", " ").replace(";", " ").split())


def test_metadata_that_was_copied_to_another_customer_proves_nothing(shop, patient):
    shop.tell()
    identifier = shop.ask("SELECT identifier FROM signup")[0]
    stranger = {
        "customer": shop.customer(),
        "items": [{"price": shop.price}],
        "metadata": {"meterpost_row": identifier},
    }

    told(shop, shop.stripe.v1.subscriptions.create(stranger))

    assert shop.states() == {"s1": "due"}


def test_a_refused_payment_is_mended_and_only_the_creation_is_called_for_again(shop):
    card = shop.stripe.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}}).id
    set_sandbox(shop, payments="fail")
    customer = shop.tell(setup_fee="9.00", payment_method=card, payment_behavior="error_if_incomplete")
    shop.work()
    assert shop.ask("SELECT state, status FROM signup JOIN signup_attempt USING (signup_id) WHERE step = 'create'") == [
        ("refused", 402)
    ]
    before = len(shop.steps())
    set_sandbox(shop, payments="succeed")

    shop.order("su-1", retry)
    shop.work()

    assert shop.steps()[before:] == ["list", "create+"]
    assert [one.status for one in shop.made(customer)] == ["active"]


def test_a_limiters_word_slows_down_and_loses_nothing(shop):
    shop.fault("rate_limited", times=4)
    customers = [shop.tell(row_id=f"s{number}") for number in range(3)]

    shop.work(3)
    for _ in range(3):
        shop.pass_time(seconds=6)
        shop.work()

    assert [len(shop.made(customer)) for customer in customers] == [1, 1, 1]


def test_a_restored_ledger_finds_what_it_has_forgotten(shop):
    customer = shop.tell()
    shop.work()
    shop.write(FORGET)
    shop.pass_time(hours=30)

    shop.work()

    assert shop.states() == {"s1": "created"}
    assert len(shop.made(customer)) == 1


def told(shop, made):
    """As an event or a reading brings it."""
    with shop.ledger.transaction() as tx:
        word = mirror(made.to_dict(), kind="subscription", as_of=ledger_time(tx))
        mirrors.put_mirrors(tx, "default", [word])


def test_a_row_that_was_told_anew_and_has_its_subscription_all_the_same_is_a_conflict(shop):
    customer = shop.tell(coupon="WELCOME")
    shop.work()
    identifier = shop.ask("SELECT identifier FROM signup")[0]
    shop.tell(customer=customer, row_id="s2", replaces="s1")
    assert shop.states() == {"s1": "replaced", "s2": "due"}
    late = {"customer": customer, "items": [{"price": shop.price}], "metadata": {"meterpost_row": identifier}}

    told(shop, shop.stripe.v1.subscriptions.create(late))
    shop.work()

    assert shop.states() == {"s1": "conflict", "s2": "blocked"}
