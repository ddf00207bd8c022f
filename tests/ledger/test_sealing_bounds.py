"""However much waits, one transaction takes a bounded part of it, and the next ones the rest."""

import pytest

from service.ledger import sealing


@pytest.mark.parametrize(("formula", "meter_events"), [("count", 10), ("sum", 5), ("last", 5)])
def test_what_one_transaction_does_not_take_the_next_ones_do(books, monkeypatch, formula, meter_events):
    monkeypatch.setattr(sealing, "ENTRIES_MAX", 3)
    books.meter(formula=formula)
    books.record(*(books.row("cus_1", 1, at=300 * (number // 2) + number % 2) for number in range(10)))

    made = [books.seal() for _ in range(8)]

    assert max(made) <= 4
    assert sum(made) == meter_events
    assert books.ask("SELECT count(*) FROM entry WHERE meter_event_id IS NULL") == [0]
    assert books.ask("SELECT count(*) FROM unsealed") == [0]


def test_a_single_bucket_with_more_than_that_is_sealed_all_the_same(books, monkeypatch):
    monkeypatch.setattr(sealing, "ENTRIES_MAX", 3)
    books.meter()
    books.record(*(books.row("cus_1", 1, at=number) for number in range(10)))

    assert books.seal() == 1
    assert books.ask("SELECT value FROM meter_event") == [10]
