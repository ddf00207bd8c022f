"""The desk: what needs a person stands on it with its reason, and leaves it by a person's hand once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from service.ledger.answers import Acted, Declined, Unneeded
from service.ledger.desk import Place, Wanted, dead_letters, dead_totals, every_dead_letter
from service.ledger.generations import next_generation
from service.letters import NoLetter, read_letter_id

BAD = b'{"row_id":"r1","customer":"cus_1","meter":"tokens","value":1.5}'


@pytest.mark.parametrize("text", ["", "me", "me-", "me-0", "me-x", "xx-1", "me-1 ", "q-" + "9" * 19, "ev-a b", "me--1"])
def test_what_is_no_letters_id_is_told_what_one_looks_like(text):
    with pytest.raises(NoLetter, match="me-123"):
        read_letter_id(text)


@pytest.mark.parametrize("text", ["me-12", "q-5", "rc-7", "ev-evt_1Abc"])
def test_a_letters_id_says_its_kind_and_reads_back_as_it_is_written(text):
    assert str(read_letter_id(text)) == text


def test_everything_that_needs_a_person_stands_on_one_desk(desk, a_meter_event):
    for way in (["refused"], ["held"], ["held", "conflict"], ["accepted"], ["unknown"]):
        a_meter_event(*way)
    desk.quarantine(BAD)
    desk.conflict()
    desk.failed_event()

    assert sorted(desk.classes()) == ["conflict", "failed", "held", "quarantined", "refused", "row_conflict"]


def test_a_letter_tells_since_when_it_stands_there(desk, books, a_meter_event):
    made = a_meter_event()
    books.write("UPDATE ledger_clock SET ahead_by = interval '3 hours'")
    books.write("UPDATE meter_event SET state = 'held', reason = 'x', due_at = NULL WHERE meter_event_id = %s", made)

    assert desk.letters()[0].since > datetime.now(UTC) + timedelta(hours=2)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"class_": "held"}, 1),
        ({"customer": "cus_1"}, 1),
        ({"meter": "tokens"}, 2),
        ({"meter": "nothing"}, 0),
        ({"reason": "A TEST"}, 2),
        ({"reason": "%"}, 0),
        ({"not_before": datetime(2000, 1, 1, tzinfo=UTC)}, 3),
        ({"not_before": datetime(3000, 1, 1, tzinfo=UTC)}, 0),
    ],
)
def test_a_filter_finds_what_it_says(desk, books, a_meter_event, wanted, found):
    a_meter_event("refused")
    a_meter_event("held")
    desk.quarantine(BAD)

    assert len(desk.letters(**wanted)) == found
    with books.ledger.transaction() as tx:
        assert sum(total.letters for total in dead_totals(tx, Wanted(**wanted))) == found


def test_pages_follow_each_other_whatever_leaves_the_desk_meanwhile(desk, books, a_meter_event):
    made = [a_meter_event("refused") for _ in range(5)]
    with books.ledger.transaction() as tx:
        first = dead_letters(tx, Wanted(), letters_max=2)
    for one in first:
        desk.discarded(one.letter)

    with books.ledger.transaction() as tx:
        second = dead_letters(tx, Wanted(), after=Place(since=first[-1].since, letter=first[-1].letter))

    assert [one.letter for one in (*first, *second)] == [f"me-{number}" for number in made]


def test_what_comes_to_the_desk_meanwhile_is_not_waited_for(books, a_meter_event):
    a_meter_event("refused")
    until = books.ask("SELECT ledger_now()")[0]
    a_meter_event("refused")

    with books.ledger.transaction() as tx:
        assert len(list(every_dead_letter(tx, Wanted(), until=until))) == 1


def test_a_refused_meter_event_is_sent_again_under_a_new_identifier(desk, books, a_meter_event):
    made = a_meter_event("refused")

    answer = desk.retried(f"me-{made}")

    assert isinstance(answer, Acted)
    assert books.sent("state", "generation") == [("sealed", 2)]
    assert books.ask("SELECT count(DISTINCT identifier) FROM generation") == [2]
    assert desk.actions() == [("retry", f"me-{made}", "refused", "sealed")]


def test_a_retry_that_comes_twice_makes_one_generation(desk, books, a_meter_event):
    made = a_meter_event("refused")

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: desk.retried(f"me-{made}"), range(4)))

    assert sorted(type(answer).__name__ for answer in answers) == ["Acted", "Unneeded", "Unneeded", "Unneeded"]
    assert books.sent("generation") == [2]
    assert len(desk.actions()) == 1


def test_a_held_meter_event_is_never_sent_by_a_persons_word(desk, books, a_meter_event):
    made = a_meter_event("held")
    books.write("UPDATE meter_event SET read_back_at = ledger_now() + interval '1 hour'")

    assert isinstance(desk.retried(f"me-{made}"), Acted)

    assert books.sent("state", "generation") == [("held", 1)]
    assert books.ask("SELECT read_back_at <= ledger_now() FROM meter_event") == [True]


def test_a_meter_event_in_conflict_is_not_retried_and_the_remedy_is_said(desk, a_meter_event):
    answer = desk.retried(f"me-{a_meter_event('held', 'conflict')}")

    assert isinstance(answer, Declined)
    assert "discard" in answer.text
    assert desk.actions() == []


@pytest.mark.parametrize("way", [[], ["unknown"], ["accepted"], ["accepted", "confirmed"]])
def test_what_needs_nobody_is_left_alone(desk, books, a_meter_event, way):
    letter = f"me-{a_meter_event(*way)}"
    before = books.sent("state")

    assert isinstance(desk.retried(letter), Unneeded)
    assert isinstance(desk.discarded(letter), Unneeded)

    assert books.sent("state") == before
    assert desk.actions() == []


@pytest.mark.parametrize("way", [["refused"], ["held"], ["held", "conflict"]])
def test_a_discarded_meter_event_leaves_the_desk_and_is_never_sent_again(desk, books, a_meter_event, way):
    made = a_meter_event(*way)
    assert isinstance(desk.discarded(f"me-{made}"), Acted)

    assert isinstance(desk.retried(f"me-{made}"), Unneeded)
    assert isinstance(desk.discarded(f"me-{made}"), Unneeded)

    with books.ledger.transaction() as tx:
        assert next_generation(tx, made, reason="x") is None
    assert desk.classes() == []
    assert books.sent("state") == [way[-1]]


def test_the_ledger_itself_refuses_to_send_what_was_discarded(desk, books, a_meter_event):
    desk.discarded(f"me-{a_meter_event('held')}")

    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="discarded by a person"):
        books.write("UPDATE meter_event SET state = 'sealed', due_at = ledger_now()")


def test_a_discarded_held_meter_event_is_said_to_be_possibly_billed(desk, a_meter_event):
    assert "may have been billed" in desk.discarded(f"me-{a_meter_event('held')}").text
