"""What Stripe counts and a restored ledger does not know is kept once, however many compare, and however often."""

from decimal import Decimal

import pytest

from service.epoch_gap import Comparison
from service.gateway import Summary
from service.ledger.comparing import Found, LaneToCompare, note_external
from service.ledger.overview import ledger_time


@pytest.fixture
def restored(books, a_meter_event):
    """A lane of a restored ledger with one sealed meter event of value 1."""
    a_meter_event()
    return books.ask(
        "INSERT INTO epoch (cause, gap_from) VALUES ('a restore', ledger_now()) RETURNING epoch_id,"
        " (SELECT lane_id FROM lane)"
    )[0]


def keep(books, restored, *, read_at):
    epoch_id, lane_id = restored
    found = Found(minute=books.hour, value=Decimal(7))
    with books.ledger.transaction() as tx:
        return note_external(tx, lane_id, "mtr_tokens", found=found, epoch_id=epoch_id, read_at=read_at)


def test_of_two_comparisons_at_once_one_keeps_what_both_found(books, restored):
    with books.ledger.transaction() as tx:
        read_at = ledger_time(tx)

    assert [keep(books, restored, read_at=read_at) for _ in range(2)] == [True, False]
    assert books.ask("SELECT value FROM external") == [7]


def test_a_later_comparison_keeps_what_is_new(books, restored):
    keep(books, restored, read_at=books.hour)
    with books.ledger.transaction() as tx:
        read_at = ledger_time(tx)

    assert keep(books, restored, read_at=read_at)


class SealsWhileAsked:
    """A Stripe whose books show 1 in a minute; what it counts there is sealed once its single minutes are asked for."""

    def __init__(self, books):
        self._books = books

    def read_summaries(self, _meter, *, customer, start, end, window):
        if window is None:
            self._books.seal(customer)
        return [Summary(start=self._books.hour, value=Decimal(1))] if start <= self._books.hour < end else []


def test_what_is_sent_while_its_hour_is_compared_was_not_forgotten(books):
    customer = books.customer()
    books.meter()
    books.record(books.row(customer, 1, at=0))
    (lane_id,) = books.ask("SELECT lane_id FROM lane")
    lane = LaneToCompare(lane_id=lane_id, customer=customer, meter="tokens", meter_stripe_id="mtr_tokens")

    with books.ledger.transaction() as tx:
        found = Comparison(tx, SealsWhileAsked(books), lane).find(now=ledger_time(tx))

    assert found == []


OLD, NEW = "mtr_old", "mtr_tokens"


@pytest.mark.parametrize(
    ("external", "is_counted"),
    [({NEW: 12}, True), ({OLD: 12}, True), ({OLD: 5, NEW: 7}, False)],
    ids=["of the meter", "of one before it", "of both"],
)
def test_what_two_meters_of_one_name_count_is_not_added_up(books, external, is_counted):
    books.meter()
    books.record(books.row("cus_1", 12, at=0))
    forgotten(books, **external)

    assert books.seal() == is_counted
    assert books.ask("SELECT DISTINCT meter_event_id IS NOT NULL FROM external") == [is_counted]


def test_what_a_meter_of_another_formula_counted_is_not_compared_with_units(books):
    books.meter(formula="count", stripe_id=OLD)
    books.record(books.row("cus_1", 1, at=-3600))
    books.seal()
    books.meter(formula="sum", stripe_id=NEW)
    books.record(books.row("cus_1", 3, at=0))

    forgotten(books, **{OLD: 3})

    assert books.seal() == 0
    assert books.ask("SELECT meter_event_id FROM external") == [None]


def forgotten(books, **external):
    """What Stripe counts in a minute of the lane's hour, by meter, and the restored ledger does not know."""
    books.write("INSERT INTO epoch (cause, confirmed_at) VALUES ('a restore', ledger_now())")
    for meter_stripe_id, value in external.items():
        books.write(
            "INSERT INTO external (epoch_id, lane_id, meter_stripe_id, minute, value)"
            " SELECT epoch_id, lane_id, %s, %s, %s FROM epoch, lane",
            meter_stripe_id,
            books.hour,
            value,
        )
