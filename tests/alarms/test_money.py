"""What an alarm is worth: what its stretch costs as a whole, less what it would cost without the alarm's units."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from service.gateway import NotFound, StripeUnavailable
from service.ledger.alarms import Unrated, Worth
from service.money import worth
from service.rating import Terms

BOOKS = """
INSERT INTO meter (account, meter, stripe_id, formula, customer_key, value_key, is_active)
VALUES ('default', 'tokens', 'mtr_1', 'sum', 'stripe_customer_id', 'value', true);
INSERT INTO lane (account, customer, meter) VALUES ('default', 'cus_1', 'tokens');
INSERT INTO stretch (account, item, price, starts_at, ends_at, subscription, customer, meter_stripe_id, is_trial)
VALUES ('default', 'si_1', 'price_1', '2026-03-01Z', '2026-04-01Z', 'sub_1', 'cus_1', 'mtr_1', false)
"""
SEALED = """
INSERT INTO meter_event
    (lane_id, meter_stripe_id, formula, bucket, stamped_at, value, entries, payload, is_unbilled, state, reason, due_at)
SELECT lane_id, 'mtr_1', 'sum', %(at)s, %(at)s, %(value)s, 1, '{}', false, %(state)s, 'a test',
    CASE WHEN %(state)s = 'sealed' THEN now() END
FROM lane
"""
UNSEALED = """
INSERT INTO entry (entry_id, lane_id, intake_id, source, row_id, value, occurred_at, bucket)
SELECT 1, lane_id, 1, 'app', 'a', 100, '2026-03-31 23:59Z', '2026-03-31 23:55Z' FROM lane
"""
MIRRORED = """
INSERT INTO mirror (account, kind, object_id, as_of, is_deleted, facts, object)
VALUES ('default', 'price', %s, now(), false, %s, %s)
"""
STRETCH = {"customer": "cus_1", "meter": "tokens", "item": "si_1", "price": "price_1", "stretch_start": "2026-03-01Z"}
PER_UNIT = {
    "id": "price_1",
    "object": "price",
    "created": 1_767_225_600,
    "currency": "usd",
    "active": True,
    "billing_scheme": "per_unit",
    "unit_amount_decimal": "2.5",
    "recurring": {"usage_type": "metered", "meter": "mtr_1", "interval": "month"},
}
TIERED = PER_UNIT | {
    "billing_scheme": "tiered",
    "tiers_mode": "graduated",
    "unit_amount_decimal": None,
    "tiers": [{"up_to": 1000, "unit_amount": 0}, {"up_to": None, "unit_amount": 1}],
}
UNRATED = Unrated(
    alarm_id=1,
    meter="tokens",
    formula="sum",
    units=Decimal(300),
    price="price_1",
    price_object=TIERED,
    has_stretch=True,
    total=Decimal(1100),
    entries=10,
    newest=Decimal(7000),
    newest_without=Decimal(3000),
)


def _worth(unrated: Unrated) -> tuple[Decimal, int]:
    found = worth(unrated)
    assert found is not None
    return found.amount, found.amount_rounded


def test_units_within_what_is_included_are_worth_nothing_and_those_beyond_what_they_cost() -> None:
    assert _worth(UNRATED) == (100, 100)  # 1,100 of 1,000 included cost 100; 800 cost nothing
    assert _worth(replace(UNRATED, total=Decimal(900))) == (0, 0)


def test_of_a_count_meter_it_is_how_many_there_are_that_is_billed() -> None:
    counted = replace(UNRATED, formula="count", entries=1001, units=Decimal(2), total=Decimal(999_999))
    assert _worth(counted) == (1, 1)


def test_of_a_last_meter_it_is_what_the_last_value_without_them_would_cost_less() -> None:
    assert _worth(replace(UNRATED, formula="last")) == (4000, 4000)
    assert _worth(replace(UNRATED, formula="last", newest_without=Decimal(7000))) == (0, 0)
    assert _worth(replace(UNRATED, formula="last", newest_without=None, units=Decimal(7000))) == (6000, 6000)
    assert _worth(replace(UNRATED, formula="last", newest_without=None, units=Decimal(-500))) == (-500, -500)


def test_an_invoice_differs_by_whole_cents_and_the_exact_part_is_kept() -> None:
    cheap = replace(UNRATED, price_object=PER_UNIT | {"unit_amount_decimal": "0.015"}, total=Decimal(400))
    assert _worth(cheap) == (Decimal("4.5"), 4)  # 6.0 cents less 1.5, which an invoice rounds to 2


def test_what_no_stretch_bills_is_rated_alone_and_by_the_rate_card_first() -> None:
    unbilled = replace(UNRATED, has_stretch=False, price_object=PER_UNIT)
    card = {"tokens": Terms(currency="eur", unit_amount=Decimal(4))}

    assert worth(unbilled) == Worth(amount=Decimal(750), amount_rounded=750, currency="usd", rated_by="price_1")
    assert worth(unbilled, card=card.get) == Worth(
        amount=Decimal(1200), amount_rounded=1200, currency="eur", rated_by="rate card"
    )
    assert worth(UNRATED, card=card.get) == worth(UNRATED)


@pytest.mark.parametrize(
    "price_object",
    [None, TIERED | {"tiers": None}, PER_UNIT | {"currency": None}, PER_UNIT | {"unit_amount_decimal": 0.5}],
)
def test_where_the_price_is_not_known_whole_no_money_is_told(price_object: Any) -> None:
    assert worth(replace(UNRATED, price_object=price_object)) is None


@pytest.fixture
def books(world: Any) -> Any:
    """A stretch of March with 1,000 units that count, 100 not sealed, and some that never will."""
    world.write(BOOKS)
    for at, value, state in (
        ("2026-02-28 23:59Z", 50_000, "confirmed"),
        ("2026-03-01Z", 400, "confirmed"),
        ("2026-03-10Z", 600, "held"),
        ("2026-04-01Z", 50_000, "confirmed"),
    ):
        world.write_with(SEALED, at=at, value=value, state=state)
    world.write(UNSEALED)
    return world


def _mirrored(world: Any, told: dict[str, Any], *, price: str = "price_1") -> None:
    facts = {
        "currency": "usd",
        "usage_type": "metered",
        "is_active": True,
        "meter_stripe_id": "mtr_1",
        "is_whole": True,
    }
    world.write(MIRRORED, price, json.dumps(facts), json.dumps(told | {"id": price}))


def test_an_alarm_is_rated_with_all_units_of_its_stretch_and_those_not_sealed(books: Any) -> None:
    _mirrored(books, TIERED)
    books.wrong(**STRETCH, units="300", rows=3)

    books.watch()

    alarm = books.alarm()
    assert (alarm.amount, alarm.amount_rounded, alarm.currency, alarm.rated_by) == (100, 100, "usd", "price_1")


def test_what_a_person_discarded_is_not_rated(books: Any) -> None:
    _mirrored(books, TIERED)
    books.write(
        "INSERT INTO operator_action (actor, verb, subject, reason, state_before, state_after)"
        " SELECT 'ada', 'discard', 'me-' || meter_event_id, 'no', state, 'discarded' FROM meter_event"
        " WHERE state = 'held'"
    )
    books.wrong(**STRETCH, units="300")

    books.watch()

    assert books.alarm().amount == 0


def test_a_price_that_is_not_mirrored_is_read_from_stripe_and_the_alarm_renewed_with_it(books: Any) -> None:
    books.stripe.has["price_1"] = TIERED
    books.wrong(**STRETCH, units="300")
    books.watch()
    before = books.alarm()

    books.watch()
    books.watch()

    assert before.amount is None
    assert (books.alarm().amount, books.alarm().alarm_id) == (100, before.alarm_id)
    assert books.stripe.asked == ["price_1"]


def test_units_with_more_digits_than_any_amount_are_raised_without_money(books: Any) -> None:
    _mirrored(books, PER_UNIT)
    books.wrong(**STRETCH, units="1" * 130)

    books.watch()

    assert (books.alarm().amount, books.alarm().subject) == (None, "one")


@pytest.mark.parametrize("failure", [StripeUnavailable("503"), NotFound("no such price")])
def test_a_price_that_cannot_be_read_leaves_the_alarm_without_money(books: Any, failure: Exception) -> None:
    books.stripe.has["price_1"] = failure
    books.wrong(**STRETCH)

    books.watch()

    assert (books.alarm().amount, books.stripe.asked) == (None, ["price_1"])


def test_a_price_that_stripe_refuses_is_not_asked_for_at_every_look(books: Any) -> None:
    books.stripe.has["price_1"] = NotFound("no such price")
    books.wrong(**STRETCH)
    watcher = books.watcher(timing=replace(books.watcher()._timing, unread_wait_s=60))

    watcher.watch_due()
    books.write("UPDATE alarm SET rated_at = NULL")
    watcher.watch_due()

    assert books.stripe.asked == ["price_1"]


def test_unbilled_units_are_rated_by_their_meters_only_active_price_and_by_none_of_two(books: Any) -> None:
    _mirrored(books, PER_UNIT, price="price_9")
    books.wrong(customer="cus_9", meter="tokens", units="300")
    books.watch()
    by_the_only_one = books.alarm()
    _mirrored(books, PER_UNIT, price="price_8")

    books.watch()

    assert (by_the_only_one.amount, by_the_only_one.rated_by) == (750, "price_9")
    assert books.alarm().amount is None


def test_money_follows_the_units(books: Any) -> None:
    _mirrored(books, PER_UNIT)
    books.wrong(**STRETCH, units="300")
    books.watch(timing=replace(books.watcher()._timing, rate_again_s=3600))
    books.wrong(**STRETCH, units="400")

    books.watch(timing=replace(books.watcher()._timing, rate_again_s=3600))

    assert books.alarm().amount == 1000
