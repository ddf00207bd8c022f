"""A new identifier is made only where no attempt under the old one can have counted."""

import pytest

from service.ledger.generations import next_generation


def made(books, meter_event_id):
    with books.ledger.transaction() as tx:
        return next_generation(tx, meter_event_id, reason="a test says so")


def read(books, *verdicts):
    for verdict in verdicts:
        books.write(
            "INSERT INTO reading (meter_event_id, generation, minute, read_at, counted, settled, expected, verdict)"
            " SELECT meter_event_id, generation, stamped_at, ledger_now(), 0, 0, 1, %s FROM meter_event",
            verdict,
        )


def test_a_refused_meter_event_is_sealed_anew_under_another_identifier(a_meter_event, books):
    meter_event = a_meter_event("refused")

    generation = made(books, meter_event)

    assert generation.generation == 2
    assert books.sent("state", "generation", "reason", "due_at <= ledger_now()") == [("sealed", 2, None, True)]
    assert books.ask("SELECT reason, identifier FROM generation ORDER BY generation")[1] == (
        "a test says so",
        generation.identifier,
    )
    assert books.ask("SELECT count(DISTINCT identifier) FROM generation") == [2]


def test_a_new_generation_begins_without_doubt_and_rings_for_its_lane(a_meter_event, books):
    meter_event = a_meter_event("held")
    books.write("UPDATE generation SET ambiguous_since = ledger_now()")
    books.write("UPDATE lane SET due_at = NULL")
    read(books, "absent", "proven_absent")

    made(books, meter_event)

    assert books.ask("SELECT ambiguous_since FROM generation WHERE generation = 2") == [None]
    assert books.ask("SELECT due_at <= ledger_now() FROM lane") == [True]


@pytest.mark.parametrize("verdicts", [[], ["absent"], ["absent", "absent"], ["part"], ["proven_absent", "absent"]])
def test_a_held_meter_event_without_proof_of_absence_gets_none(a_meter_event, books, verdicts):
    meter_event = a_meter_event("held")
    read(books, *verdicts)

    assert made(books, meter_event) is None
    assert books.sent("state", "generation") == [("held", 1)]


@pytest.mark.parametrize("steps", [[], ["unknown"], ["accepted"], ["held", "conflict"]])
def test_what_may_count_or_is_still_sent_gets_none(a_meter_event, books, steps):
    assert made(books, a_meter_event(*steps)) is None
    assert books.ask("SELECT count(*) FROM generation") == [1]


def test_asked_for_twice_it_is_made_once(a_meter_event, books):
    meter_event = a_meter_event("refused")

    assert made(books, meter_event) is not None
    assert made(books, meter_event) is None


def test_the_proof_of_one_generation_is_none_of_the_next(a_meter_event, books):
    meter_event = a_meter_event("held")
    read(books, "proven_absent")
    made(books, meter_event)
    books.write("UPDATE meter_event SET state = 'held', reason = 'again', due_at = NULL")

    assert made(books, meter_event) is None


def test_what_is_too_old_for_stripe_gets_none(a_meter_event, books):
    meter_event = a_meter_event("refused")
    books.write("UPDATE ledger_clock SET ahead_by = '36 days'")

    assert made(books, meter_event) is None


def test_a_reading_is_a_fact(a_meter_event, books):
    a_meter_event("held")
    read(books, "absent")

    with pytest.raises(Exception, match="never changes"):
        books.write("UPDATE reading SET verdict = 'present'")
    with pytest.raises(Exception, match="never changes"):
        books.write("DELETE FROM reading")
