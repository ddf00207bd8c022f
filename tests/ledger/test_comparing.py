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
