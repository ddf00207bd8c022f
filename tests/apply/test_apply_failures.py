"""Effects that fail: put off, tried again, and at last before a person."""

import pytest

from service.gateway import NotFound, StripeRefused, StripeUnavailable


def test_a_tie_that_stripe_cannot_settle_now_is_tried_again_later(world, subscription):
    world.stripe.has["sub_1"] = StripeUnavailable("down for a while")
    world.tell("customer.subscription.updated", subscription(), at=100)
    world.tell("customer.subscription.updated", subscription(), at=100)

    world.apply()

    assert world.ask("SELECT DISTINCT state, failures, reason FROM event") == [("received", 1, "down for a while")]
    assert world.ask("SELECT 1 FROM event WHERE due_at > ledger_now() + interval '1 second'") == []


def test_an_outage_of_stripe_makes_no_dead_letter_however_long_it_is(world, subscription):
    world.stripe.has["sub_1"] = StripeUnavailable("down for days")
    world.tell("customer.subscription.updated", subscription(items=None), at=100)
    for _ in range(15):
        world.make_due()
        world.apply()
    world.stripe.has["sub_1"] = subscription("active")
    world.make_due()
    world.apply()

    assert (world.states(), world.subscriptions()) == ({"evt_0": "applied"}, [("sub_1", "active", 100)])


def test_an_effect_that_fails_ten_times_is_a_dead_letter_with_its_reason(world, subscription):
    world.stripe.has["sub_1"] = StripeRefused("No such subscription: 'sub_1'")
    world.tell("customer.subscription.updated", subscription(items=None), at=100)
    for _ in range(10):
        world.make_due()
        world.apply()

    assert world.ask("SELECT state, failures, reason, due_at FROM event") == [
        ("failed", 10, "No such subscription: 'sub_1'", None)
    ]


def test_a_tie_about_a_draft_that_is_then_deleted_is_closed_and_not_asked_for_ever(world, invoice):
    world.stripe.has["in_1"] = StripeRefused("No such invoice: 'in_1'")
    world.tell("invoice.created", invoice(), at=100)
    world.tell("invoice.updated", invoice(), at=100)
    world.apply()
    world.tell("invoice.deleted", invoice(), at=101)
    world.apply()
    world.make_due()

    world.apply()

    assert (set(world.states().values()), world.stripe.asked) == ({"applied"}, ["in_1"])
    assert world.ask("SELECT status FROM invoice") == [(None,)]


def test_an_invoice_that_stripe_no_longer_has_ten_times_over_was_deleted_although_no_event_says_so(world, invoice):
    world.stripe.has["in_1"] = NotFound("No such invoice: 'in_1'")
    world.tell("invoice.created", invoice(), at=100)
    world.tell("invoice.updated", invoice(), at=100)
    for _ in range(9):
        world.make_due()
        world.apply()
    before = set(world.states().values())
    world.make_due()
    world.apply()

    assert (before, set(world.states().values())) == ({"received"}, {"applied"})
    assert world.ask("SELECT status FROM invoice") == [(None,)]


def test_a_word_that_comes_while_an_invoice_is_missed_does_not_let_the_older_ones_fail(world, invoice):
    world.stripe.has["in_1"] = NotFound("No such invoice: 'in_1'")
    part = invoice(lines={"data": [], "has_more": True})
    world.tell("invoice.created", part, at=100)
    for _ in range(9):
        world.make_due()
        world.apply()
    world.tell("invoice.updated", part, at=101)
    world.make_due()

    world.apply()

    assert set(world.states().values()) == {"applied"}
    assert world.ask("SELECT status FROM invoice") == [(None,)]


def test_a_subscription_that_stripe_does_not_have_is_a_dead_letter_for_those_do_not_vanish(world, subscription):
    world.stripe.has["sub_1"] = NotFound("No such subscription: 'sub_1'")
    for _ in range(2):
        world.tell("customer.subscription.updated", subscription(), at=100)
    for _ in range(10):
        world.make_due()
        world.apply()

    assert set(world.states().values()) == {"failed"}


def test_a_tie_that_a_newer_word_has_overtaken_is_not_asked_about(world, subscription):
    world.tell("customer.subscription.updated", subscription("active"), at=101)
    world.apply()
    for status in ("past_due", "unpaid"):
        world.tell("customer.subscription.updated", subscription(status), at=100)

    world.apply()

    assert (world.subscriptions(), world.stripe.asked) == ([("sub_1", "active", 101)], [])
    assert set(world.states().values()) == {"applied"}


def test_an_unreadable_event_is_read_from_stripe_instead(world, subscription):
    world.stripe.has["sub_1"] = subscription("active")
    world.tell("customer.subscription.updated", subscription(status=None), at=100)

    world.apply()

    assert (world.subscriptions(), world.stripe.asked) == ([("sub_1", "active", 100)], ["sub_1"])


@pytest.mark.parametrize("answer", [{}, [], None, {"object": "subscription", "id": "sub_1"}])
def test_what_stripe_answers_unreadably_is_tried_again_with_the_reason(world, subscription, answer):
    world.stripe.has["sub_1"] = answer
    world.tell("customer.subscription.updated", subscription(items=None), at=100)

    world.apply()

    assert world.ask("SELECT state, failures FROM event WHERE reason LIKE '%no readable%'") == [("received", 1)]


def test_one_event_that_the_ledger_refuses_does_not_hold_up_the_others_of_its_claim(world, subscription):
    world.ask("ALTER TABLE mirror ADD CONSTRAINT refused CHECK (customer <> 'cus_poison')")
    poison = world.tell("customer.subscription.created", subscription(id="sub_2", customer="cus_poison"), at=100)
    sound = world.tell("customer.subscription.created", subscription(), at=100)

    world.apply()

    assert world.states() == {poison: "received", sound: "applied"}
    assert world.ask("SELECT failures FROM event WHERE state = 'received'") == [(1,)]


def test_waits_double_with_full_jitter_and_never_pass_the_longest(world, subscription):
    world.stripe.has["sub_1"] = StripeRefused("no")
    world.tell("customer.subscription.updated", subscription(items=None), at=100)
    world.ask("UPDATE event SET failures = 8")

    world.apply()

    assert world.ask("SELECT due_at - ledger_now() BETWEEN interval '0' AND interval '5 seconds' FROM event") == [
        (True,)
    ]


def test_the_objects_of_hostile_metadata_are_mirrored_without_what_postgresql_cannot_store(world, subscription):
    world.tell("customer.subscription.created", subscription(metadata={"a": "\x00\ud800b"}), at=100)

    world.apply()

    assert world.ask("SELECT object->'metadata'->>'a' FROM subscription") == [("b",)]
