"""Rows and events on the desk: corrected through the door of every row, and never counted twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from service.corrections import Correction
from service.ledger.answers import Acted, Declined, Unneeded
from service.ledger.replaying import replayed_from
from service.letters import read_letter_id

BAD = b'{"row_id":"r1","customer":"cus_1","meter":"tokens","value":1.5}'


def test_a_quarantined_row_that_is_corrected_becomes_an_entry_with_its_lineage(desk, books):
    letter = desk.quarantine(BAD)

    answer = desk.retried(letter, Correction(set_to={"value": "1.5"}))

    assert isinstance(answer, Acted)
    assert books.ask("SELECT row_id, value FROM entry") == [("r1", pytest.approx(1.5))]
    with books.ledger.transaction() as tx:
        (replayed,) = replayed_from(tx, read_letter_id(letter))
    assert (replayed.row_id, replayed.action_id, b'"1.5"' in replayed.said) == ("r1", answer.action_id, True)
    assert desk.classes() == []


def test_a_field_that_no_row_has_is_left_out(desk, books):
    letter = desk.quarantine(b'{"row_id":"r1","customer":"cus_1","meter":"tokens","value":1,"valeu":2}')

    assert isinstance(desk.retried(letter, Correction(left_out=frozenset({"valeu"}))), Acted)

    assert books.ask("SELECT value FROM entry") == [1]


def test_a_row_that_is_still_bad_stays_and_names_the_field(desk):
    letter = desk.quarantine(BAD)

    answer = desk.retried(letter, Correction(set_to={"value": "many"}))

    assert isinstance(answer, Declined)
    assert answer.text.startswith("value: ")
    assert desk.classes() == ["quarantined"]
    assert desk.actions() == []


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"[1, 2]", b"{" * 5_000, b'"text"', b"null"])
def test_bytes_that_are_no_row_are_declined_whatever_they_are(desk, raw):
    letter = desk.quarantine(raw)

    assert isinstance(desk.retried(letter), Declined)
    assert isinstance(desk.retried(letter, Correction(set_to={"value": "1"})), Declined)


def test_a_quarantined_row_retried_by_two_at_once_is_one_entry(desk, books):
    letter = desk.quarantine(BAD)
    correction = Correction(set_to={"value": "2"})

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: desk.retried(letter, correction), range(4)))

    assert sorted(type(answer).__name__ for answer in answers) == ["Acted", "Unneeded", "Unneeded", "Unneeded"]
    assert books.ask("SELECT sum(value) FROM entry") == [2]


def test_a_corrected_row_whose_id_was_told_otherwise_stays_out(desk, books):
    first = desk.quarantine(BAD)
    second = desk.quarantine(BAD.replace(b"1.5", b"2.5"))
    desk.retried(first, Correction(set_to={"value": "1.5"}))

    answer = desk.retried(second, Correction(set_to={"value": "2.5"}))

    assert isinstance(answer, Declined)
    assert "row_id" in answer.text
    assert desk.classes() == ["quarantined"]
    assert books.ask("SELECT count(*) FROM intake") == [3]


def test_a_whole_message_that_can_be_read_by_now_is_recorded_row_by_row(desk, books):
    raw = b'{"schema":"usage.1","sent_at":"%s","rows":[%s]}' % (
        datetime.now(UTC).isoformat().encode(),
        BAD.replace(b"1.5", b"3"),
    )
    letter = desk.quarantine(raw, field="message", reason="is not a usage.1 message")

    assert isinstance(desk.retried(letter), Acted)

    assert books.ask("SELECT value FROM entry") == [3]


def test_a_conflicting_row_is_declined_with_the_remedy_and_can_be_discarded(desk, books):
    letter = desk.conflict()

    answer = desk.retried(letter)

    assert isinstance(answer, Declined)
    assert "an id of its own" in answer.text
    assert isinstance(desk.discarded(letter), Acted)
    assert desk.classes() == []
    assert books.ask("SELECT count(*) FROM row_conflict") == [1]


def test_a_failed_event_is_tried_again_from_the_start(desk, books):
    letter = desk.failed_event()

    assert isinstance(desk.retried(letter), Acted)
    assert isinstance(desk.retried(letter), Unneeded)

    assert books.ask("SELECT state, failures, due_at IS NOT NULL FROM event") == [("received", 0, True)]


@pytest.mark.parametrize("letter", ["me-1", "q-1", "rc-1", "ev-evt_1"])
def test_what_the_ledger_does_not_know_is_declined(desk, letter):
    assert isinstance(desk.retried(letter), Declined)
    assert isinstance(desk.discarded(letter), Declined)


def test_only_a_row_in_quarantine_can_be_corrected(desk, books, a_meter_event):
    letter = f"me-{a_meter_event('refused')}"

    assert isinstance(desk.retried(letter, Correction(set_to={"value": "1"})), Declined)
    assert books.sent("state") == ["refused"]
