"""An alarm that has grown is posted again, and not too often."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from service.rating import Terms


@pytest.fixture
def grown(world: Any) -> Callable[..., None]:
    """The only alarm has so many units by then, each a cent where there is a price."""

    def grow(units: str, *, later: timedelta = timedelta(0), price: int | None = 1, **facts: Any) -> None:
        terms = None if price is None else Terms(currency="usd", unit_amount=Decimal(price))
        world.write("UPDATE ledger_clock SET ahead_by = ahead_by + %s", later)
        world.wrong(customer="cus_1", meter="tokens", units=units, **facts)
        world.watch(card=lambda _: terms)

    return grow


def test_an_alarm_that_grows_to_twice_what_was_told_is_posted_again_at_most_once_an_hour(
    world: Any, poster: Any, listener: Any, grown: Callable[..., None]
) -> None:
    for units, later in (("0", 0), ("20025", 1), ("20026", 5), ("90000", 59), ("40051", 1), ("40052", 1)):
        grown(units, later=timedelta(minutes=later))

    poster.post_due()

    assert listener.types == ["alarm.raised", "alarm.changed", "alarm.changed"]
    assert [body["alarm"]["money"]["amount"] for body in listener.bodies] == [0, 20026, 40052]
    assert len({body["id"] for body in listener.bodies}) == 3


def test_what_was_seen_while_it_was_small_is_posted_once_it_is_not(
    world: Any, poster: Any, listener: Any, grown: Any, acknowledged: Callable[[], None]
) -> None:
    grown("0")
    acknowledged()
    grown("20025", later=timedelta(minutes=5))

    poster.post_due()

    assert listener.types == ["alarm.raised", "alarm.acknowledged", "alarm.changed"]


def test_the_first_money_known_of_an_alarm_is_posted(world: Any, poster: Any, listener: Any, grown: Any) -> None:
    grown("5", price=None)
    grown("5", later=timedelta(minutes=5))
    grown("5", later=timedelta(hours=2))

    poster.post_due()

    assert [body["alarm"]["money"] and body["alarm"]["money"]["shown"] for body in listener.bodies] == [None, "$0.05"]


def test_what_has_no_money_is_posted_again_once_its_rows_are_twice_as_many(
    world: Any, poster: Any, listener: Any
) -> None:
    for rows, later in ((2, "0 s"), (3, "6 min"), (4, "1 min"), (7, "2 hours")):
        world.write("UPDATE ledger_clock SET ahead_by = ahead_by + %s", later)
        world.wrong(rows=rows)
        world.watch()

    poster.post_due()

    assert [(body["type"], body["alarm"]["rows"]) for body in listener.bodies] == [
        ("alarm.raised", 2),
        ("alarm.changed", 4),
    ]


def test_what_becomes_urgent_and_grows_at_once_is_one_post(
    world: Any, poster: Any, listener: Any, grown: Callable[..., None]
) -> None:
    grown("1")
    grown("100", later=timedelta(minutes=6), is_urgent=True)
    grown("100", later=timedelta(minutes=1), is_urgent=True)

    poster.post_due()

    assert listener.types == ["alarm.raised", "alarm.escalated"]
