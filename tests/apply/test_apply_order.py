"""However events come, the mirrors end the same."""

from itertools import permutations

import pytest

STORY = [
    ("customer.subscription.created", "incomplete", 100),
    ("customer.subscription.updated", "active", 101),
    ("customer.subscription.deleted", "canceled", 102),
]


@pytest.mark.parametrize("order", list(permutations(STORY)))
def test_all_orders_of_three_events_end_in_the_same_mirror(world, subscription, order):
    for type_, status, at in order:
        world.tell(type_, subscription(status), at=at)
        world.apply()

    assert world.subscriptions() == [("sub_1", "canceled", 102)]
    assert set(world.states().values()) == {"applied"}


@pytest.mark.parametrize("order", list(permutations(STORY)))
def test_all_orders_within_one_claim_end_in_the_same_mirror(world, subscription, order):
    for type_, status, at in order:
        world.tell(type_, subscription(status), at=at)

    world.apply()

    assert world.subscriptions() == [("sub_1", "canceled", 102)]
    assert set(world.states().values()) == {"applied"}


@pytest.mark.parametrize("order", list(permutations(STORY)))
def test_all_orders_within_one_second_end_in_what_stripe_says(world, subscription, order):
    world.stripe.has["sub_1"] = subscription("canceled")

    for type_, status, _ in order:
        world.tell(type_, subscription(status), at=100)
        world.apply()

    assert world.subscriptions() == [("sub_1", "canceled", 100)]
    assert world.stripe.asked == ["sub_1", "sub_1"]


def test_two_words_of_one_second_in_one_claim_ask_stripe_once(world, subscription):
    world.stripe.has["sub_1"] = subscription("past_due")
    world.tell("customer.subscription.updated", subscription("active"), at=100)
    world.tell("customer.subscription.updated", subscription("unpaid"), at=100)

    world.apply()

    assert world.subscriptions() == [("sub_1", "past_due", 100)]
    assert world.stripe.asked == ["sub_1"]


def test_an_older_event_changes_nothing_and_is_marked_applied_without_an_effect(world, subscription):
    newer = world.tell("customer.subscription.updated", subscription("past_due"), at=101)
    world.apply()
    older = world.tell("customer.subscription.updated", subscription("active"), at=100)
    world.apply()

    assert world.subscriptions() == [("sub_1", "past_due", 101)]
    assert world.states() == {newer: "applied", older: "applied"}
    assert world.ask("SELECT event_id FROM effect") == [(newer,)]


def test_a_reading_that_began_earlier_does_not_replace_a_later_one(world, subscription):
    world.stripe.has["sub_1"] = subscription("active")
    world.tell("customer.subscription.updated", subscription("unpaid"), at=100)
    world.tell("customer.subscription.updated", subscription("unpaid"), at=100)
    world.apply()
    world.ask(
        "UPDATE mirror SET read_at = read_at + interval '1 hour', facts = facts || '{\"status\": \"read later\"}'"
    )
    world.tell("customer.subscription.updated", subscription("unpaid"), at=100)

    world.apply()

    assert world.subscriptions() == [("sub_1", "read later", 100)]


@pytest.mark.parametrize("order", list(permutations(["created", "deleted", "updated"])))
def test_a_deleted_invoice_stays_deleted_in_every_order_and_stripe_is_not_asked_for_it(world, invoice, order):
    for what in order:
        world.tell(f"invoice.{what}", invoice(), at=100)

    world.apply()

    assert world.ask("SELECT invoice, status FROM invoice") == [("in_1", None)]
    assert world.stripe.asked == []


def test_a_deletion_of_the_mirror_s_own_second_holds_and_nothing_comes_after_it(world, invoice):
    for type_, at in [
        ("invoice.created", 100),
        ("invoice.deleted", 100),
        ("invoice.updated", 100),
        ("invoice.sent", 101),
    ]:
        world.tell(type_, invoice(), at=at)
        world.apply()

    assert world.ask("SELECT status FROM invoice") == [(None,)]
    assert (set(world.states().values()), world.stripe.asked) == ({"applied"}, [])


def test_an_invoice_is_mirrored_with_its_amount_and_period(world, invoice):
    world.tell("invoice.created", invoice(billing_reason="subscription_cycle", subscription="sub_1"), at=100)

    world.apply()

    assert world.ask(
        "SELECT invoice, customer, subscription, status, billing_reason, total, currency FROM invoice"
    ) == [("in_1", "cus_1", "sub_1", "draft", "subscription_cycle", 20_000, "usd")]
