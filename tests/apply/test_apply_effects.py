"""What events change besides their mirror, what they do not change, and that it happens once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from service.gateway import StripeUnavailable
from service.ledger import events, stretches
from service.timing import FAST

JANUARY, FEBRUARY, MARCH = 1_767_225_600, 1_769_904_000, 1_772_323_200


def test_a_period_of_a_metered_item_gives_the_edges_that_buckets_break_at(world, subscription):
    world.know_meter("tokens", stripe_id="mtr_1")
    world.tell("customer.subscription.created", subscription(), at=100)

    world.apply()

    assert world.edges() == {("cus_1", "tokens", JANUARY), ("cus_1", "tokens", FEBRUARY)}


def test_the_next_period_adds_its_edge_and_keeps_the_old_ones(world, subscription):
    world.know_meter("tokens", stripe_id="mtr_1")
    world.tell("customer.subscription.created", subscription(), at=100)
    world.apply()
    world.tell("customer.subscription.updated", subscription(start=FEBRUARY, end=MARCH), at=101)
    world.apply()

    assert world.edges() == {("cus_1", "tokens", edge) for edge in (JANUARY, FEBRUARY, MARCH)}


def test_the_edges_of_a_meter_that_becomes_known_later_are_learnt_then_and_once(world, subscription):
    world.tell("customer.subscription.created", subscription(), at=100)
    world.apply()
    world.know_meter("tokens", stripe_id="mtr_1")

    with world.ledger.transaction() as tx:
        learnt = [stretches.learn_edges(tx, "default", subscriptions=["sub_1"]) for _ in range(2)]

    assert (learnt, len(world.edges())) == ([2, 0], 2)


def test_the_end_of_a_subscription_is_an_edge_and_its_item_keeps_its_last_period(world, subscription):
    world.know_meter("tokens", stripe_id="mtr_1")
    ended_at = JANUARY + 86_400
    world.tell("customer.subscription.deleted", subscription("canceled", ended_at=ended_at), at=ended_at)

    world.apply()

    assert ("cus_1", "tokens", ended_at) in world.edges()
    assert world.ask("SELECT extract(epoch FROM period_end)::int FROM subscription_item") == [(FEBRUARY,)]


def test_an_item_that_is_no_longer_told_is_removed(world, subscription):
    world.tell("customer.subscription.created", subscription(), at=100)
    world.apply()
    world.tell("customer.subscription.updated", subscription(items={"data": [], "has_more": False}), at=101)
    world.apply()

    assert world.ask("SELECT item FROM subscription_item") == []


def test_an_item_that_is_only_on_stripe_s_next_page_is_kept_until_stripe_is_asked(world, subscription):
    world.tell("customer.subscription.created", subscription(), at=100)
    world.apply()
    world.stripe.has["sub_1"] = StripeUnavailable("down")
    world.tell("customer.subscription.updated", subscription(items={"data": [], "has_more": True}), at=101)
    world.apply()

    assert world.ask("SELECT item FROM subscription_item") == [("si_1",)]
    assert world.stripe.asked == ["sub_1"]


@pytest.mark.parametrize(
    "type_", ["product.updated", "invoice.will_be_due", "invoiceitem.created", "a.type.of.tomorrow"]
)
def test_an_event_of_a_type_without_effect_is_ignored_and_kept(world, type_):
    event_id = world.tell(type_, {"id": "x_1"}, at=100)

    assert world.apply() == 1
    assert world.states() == {event_id: "ignored"}


def test_an_upcoming_invoice_which_has_no_id_is_ignored(world, invoice):
    event_id = world.tell("invoice.upcoming", invoice(id=None), at=100)

    world.apply()

    assert world.states() == {event_id: "ignored"}


def test_an_event_of_the_other_mode_that_came_before_the_pin_is_ignored(world, subscription):
    event_id = world.tell("customer.subscription.created", subscription(), at=100)
    world.ask("INSERT INTO account (account, stripe_account, is_live) VALUES ('default', 'acct_1', true)")

    world.apply()

    assert (world.states(), world.subscriptions()) == ({event_id: "ignored"}, [])


def test_an_event_of_a_connected_account_is_ignored(world, subscription):
    world.ask("INSERT INTO account (account, stripe_account, is_live) VALUES ('default', 'acct_1', false)")
    theirs = world.tell("customer.subscription.created", subscription(), at=100, account="acct_2")
    ours = world.tell("customer.subscription.created", subscription(id="sub_2"), at=100, account="acct_1")

    world.apply()

    assert world.states() == {theirs: "ignored", ours: "applied"}


def test_an_event_whose_holder_was_killed_comes_back_when_its_claim_has_run_out(world, subscription):
    world.tell("customer.subscription.created", subscription(), at=100)
    with world.ledger.transaction() as tx:
        events.claim_events(tx, "default", events_max=10, claim=FAST.lease)

    at_once = world.apply()
    world.make_due()

    assert (at_once, world.apply(), world.subscriptions()) == (0, 1, [("sub_1", "active", 100)])


def test_an_event_claimed_twice_has_one_effect(world, subscription, monkeypatch):
    world.tell("customer.subscription.created", subscription(), at=100)
    with world.ledger.transaction() as tx:
        claimed = events.claim_events(tx, "default", events_max=10, claim=FAST.lease)
    monkeypatch.setattr(events, "claim_events", lambda *_, **__: claimed)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(world.applier.apply_due, ["default", "default"]))

    assert world.ask("SELECT event_id, kind FROM effect") == [("evt_0", "subscription.mirrored")]
    assert (world.states(), world.stripe.asked) == ({"evt_0": "applied"}, [])


def test_two_workers_do_not_claim_the_same_event(world, subscription):
    world.tell("customer.subscription.created", subscription(), at=100)

    with world.ledger.transaction() as one, world.ledger.transaction() as other:
        first = events.claim_events(one, "default", events_max=10, claim=FAST.lease)
        second = events.claim_events(other, "default", events_max=10, claim=FAST.lease)

    assert (len(first), len(second)) == (1, 0)


def test_a_full_drain_takes_more_than_one_claim(world, subscription, monkeypatch):
    monkeypatch.setattr("workers.apply.EVENTS_A_CLAIM_MAX", 3)
    for number in range(7):
        world.tell("customer.subscription.created", subscription(id=f"sub_{number}"), at=100)

    world.applier.drain("default")

    assert len(world.subscriptions()) == 7
