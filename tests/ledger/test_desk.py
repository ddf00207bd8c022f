"""The desk: what needs a person stands on it with its reason, and leaves it by a person's hand once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from meterpost.rows import BadRow
from service.corrections import Correction
from service.ledger import intake
from service.ledger.actions import Order
from service.ledger.answers import Acted, Declined, Ordered, Unneeded
from service.ledger.desk import Place, Wanted, dead_letters, dead_totals, every_dead_letter
from service.ledger.generations import next_generation
from service.ledger.remedies import NO_CORRECTION, discard, retry
from service.ledger.replaying import replayed_from
from service.letters import NoLetter, read_letter_id
from service.timing import FAST

ADA = Order(actor="ada", reason="because")
BAD = b'{"row_id":"r1","customer":"cus_1","meter":"tokens","value":1.5}'


def letters(books, **wanted):
    with books.ledger.transaction() as tx:
        return dead_letters(tx, Wanted(**wanted))


def classes(books):
    return [one.class_ for one in letters(books)]


def retried(books, letter, correction=NO_CORRECTION):
    with books.ledger.transaction() as tx:
        ordered = Ordered(tx=tx, letter=read_letter_id(letter), order=ADA)
        return retry(ordered, correction=correction, timing=FAST)


def discarded(books, letter):
    with books.ledger.transaction() as tx:
        return discard(Ordered(tx=tx, letter=read_letter_id(letter), order=ADA))


def quarantine(books, raw=BAD, *, field="value", reason="is a float"):
    bad = BadRow(raw=raw, row_id="r1", field=field, reason=reason, sent_at=datetime.now(UTC))
    with books.ledger.transaction() as tx:
        intake.record(tx, [], [bad], messages=1, timing=FAST)
    return f"q-{books.ask('SELECT max(quarantine_id) FROM quarantine')[0]}"


def conflict(books):
    first = books.row("cus_1", 1, at=0)
    books.record(first)
    books.numbers = iter([first.row_id.removeprefix("row-")])
    books.record(books.row("cus_1", 2, at=0))
    return f"rc-{books.ask('SELECT conflict_id FROM row_conflict')[0]}"


def failed_event(books):
    books.write(
        "INSERT INTO event (account, event_id, type, is_live, created_at, body, state, due_at, failures, reason)"
        " VALUES ('default', 'evt_1', 'invoice.created', false, ledger_now(), '', 'failed', NULL, 10, 'no such field')"
    )
    return "ev-evt_1"


def actions(books):
    return books.ask("SELECT verb, subject, state_before, state_after FROM operator_action ORDER BY action_id")


@pytest.mark.parametrize("text", ["", "me", "me-", "me-0", "me-x", "xx-1", "me-1 ", "q-" + "9" * 19, "ev-a b", "me--1"])
def test_what_is_no_letters_id_is_told_what_one_looks_like(text):
    with pytest.raises(NoLetter, match="me-123"):
        read_letter_id(text)


@pytest.mark.parametrize("text", ["me-12", "q-5", "rc-7", "ev-evt_1Abc"])
def test_a_letters_id_says_its_kind_and_reads_back_as_it_is_written(text):
    assert str(read_letter_id(text)) == text


def test_everything_that_needs_a_person_stands_on_one_desk(books, a_meter_event):
    for way in (["refused"], ["held"], ["held", "conflict"], ["accepted"], ["unknown"]):
        a_meter_event(*way)
    quarantine(books)
    conflict(books)
    failed_event(books)

    assert sorted(classes(books)) == ["conflict", "failed", "held", "quarantined", "refused", "row_conflict"]


def test_a_letter_tells_since_when_it_stands_there(books, a_meter_event):
    made = a_meter_event()
    books.write("UPDATE ledger_clock SET ahead_by = interval '3 hours'")
    books.write("UPDATE meter_event SET state = 'held', reason = 'x', due_at = NULL WHERE meter_event_id = %s", made)

    assert letters(books)[0].since > datetime.now(UTC) + timedelta(hours=2)


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
def test_a_filter_finds_what_it_says(books, a_meter_event, wanted, found):
    a_meter_event("refused")
    a_meter_event("held")
    quarantine(books)

    assert len(letters(books, **wanted)) == found
    with books.ledger.transaction() as tx:
        assert sum(total.letters for total in dead_totals(tx, Wanted(**wanted))) == found


def test_pages_follow_each_other_whatever_leaves_the_desk_meanwhile(books, a_meter_event):
    made = [a_meter_event("refused") for _ in range(5)]
    with books.ledger.transaction() as tx:
        first = dead_letters(tx, Wanted(), letters_max=2)
    for one in first:
        discarded(books, one.letter)

    with books.ledger.transaction() as tx:
        second = dead_letters(tx, Wanted(), after=Place(since=first[-1].since, letter=first[-1].letter))

    assert [one.letter for one in (*first, *second)] == [f"me-{number}" for number in made]


def test_what_comes_to_the_desk_meanwhile_is_not_waited_for(books, a_meter_event):
    a_meter_event("refused")
    until = books.ask("SELECT ledger_now()")[0]
    a_meter_event("refused")

    with books.ledger.transaction() as tx:
        assert len(list(every_dead_letter(tx, Wanted(), until=until))) == 1


def test_a_refused_meter_event_is_sent_again_under_a_new_identifier(books, a_meter_event):
    made = a_meter_event("refused")

    answer = retried(books, f"me-{made}")

    assert isinstance(answer, Acted)
    assert books.sent("state", "generation") == [("sealed", 2)]
    assert books.ask("SELECT count(DISTINCT identifier) FROM generation") == [2]
    assert actions(books) == [("retry", f"me-{made}", "refused", "sealed")]


def test_a_retry_that_comes_twice_makes_one_generation(books, a_meter_event):
    made = a_meter_event("refused")

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: retried(books, f"me-{made}"), range(4)))

    assert sorted(type(answer).__name__ for answer in answers) == ["Acted", "Unneeded", "Unneeded", "Unneeded"]
    assert books.sent("generation") == [2]
    assert len(actions(books)) == 1


def test_a_held_meter_event_is_never_sent_by_a_persons_word(books, a_meter_event):
    made = a_meter_event("held")
    books.write("UPDATE meter_event SET read_back_at = ledger_now() + interval '1 hour'")

    assert isinstance(retried(books, f"me-{made}"), Acted)

    assert books.sent("state", "generation") == [("held", 1)]
    assert books.ask("SELECT read_back_at <= ledger_now() FROM meter_event") == [True]


def test_a_meter_event_in_conflict_is_not_retried_and_the_remedy_is_said(books, a_meter_event):
    answer = retried(books, f"me-{a_meter_event('held', 'conflict')}")

    assert isinstance(answer, Declined)
    assert "discard" in answer.text
    assert actions(books) == []


@pytest.mark.parametrize("way", [[], ["unknown"], ["accepted"], ["accepted", "confirmed"]])
def test_what_needs_nobody_is_left_alone(books, a_meter_event, way):
    letter = f"me-{a_meter_event(*way)}"
    before = books.sent("state")

    assert isinstance(retried(books, letter), Unneeded)
    assert isinstance(discarded(books, letter), Unneeded)

    assert books.sent("state") == before
    assert actions(books) == []


@pytest.mark.parametrize("way", [["refused"], ["held"], ["held", "conflict"]])
def test_a_discarded_meter_event_leaves_the_desk_and_is_never_sent_again(books, a_meter_event, way):
    made = a_meter_event(*way)
    assert isinstance(discarded(books, f"me-{made}"), Acted)

    assert isinstance(retried(books, f"me-{made}"), Unneeded)
    assert isinstance(discarded(books, f"me-{made}"), Unneeded)

    with books.ledger.transaction() as tx:
        assert next_generation(tx, made, reason="x") is None
    assert classes(books) == []
    assert books.sent("state") == [way[-1]]


def test_the_ledger_itself_refuses_to_send_what_was_discarded(books, a_meter_event):
    discarded(books, f"me-{a_meter_event('held')}")

    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="discarded by a person"):
        books.write("UPDATE meter_event SET state = 'sealed', due_at = ledger_now()")


def test_a_discarded_held_meter_event_is_said_to_be_possibly_billed(books, a_meter_event):
    assert "may have been billed" in discarded(books, f"me-{a_meter_event('held')}").text


def test_a_quarantined_row_that_is_corrected_becomes_an_entry_with_its_lineage(books):
    letter = quarantine(books)

    answer = retried(books, letter, Correction(set_to={"value": "1.5"}))

    assert isinstance(answer, Acted)
    assert books.ask("SELECT row_id, value FROM entry") == [("r1", pytest.approx(1.5))]
    with books.ledger.transaction() as tx:
        (replayed,) = replayed_from(tx, read_letter_id(letter))
    assert (replayed.row_id, replayed.action_id, b'"1.5"' in replayed.said) == ("r1", answer.action_id, True)
    assert classes(books) == []


def test_a_field_that_no_row_has_is_left_out(books):
    letter = quarantine(books, b'{"row_id":"r1","customer":"cus_1","meter":"tokens","value":1,"valeu":2}')

    assert isinstance(retried(books, letter, Correction(left_out=frozenset({"valeu"}))), Acted)

    assert books.ask("SELECT value FROM entry") == [1]


def test_a_row_that_is_still_bad_stays_and_names_the_field(books):
    letter = quarantine(books)

    answer = retried(books, letter, Correction(set_to={"value": "many"}))

    assert isinstance(answer, Declined)
    assert answer.text.startswith("value: ")
    assert classes(books) == ["quarantined"]
    assert actions(books) == []


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"[1, 2]", b"{" * 5_000, b'"text"', b"null"])
def test_bytes_that_are_no_row_are_declined_whatever_they_are(books, raw):
    letter = quarantine(books, raw)

    assert isinstance(retried(books, letter), Declined)
    assert isinstance(retried(books, letter, Correction(set_to={"value": "1"})), Declined)


def test_a_quarantined_row_retried_by_two_at_once_is_one_entry(books):
    letter = quarantine(books)
    correction = Correction(set_to={"value": "2"})

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: retried(books, letter, correction), range(4)))

    assert sorted(type(answer).__name__ for answer in answers) == ["Acted", "Unneeded", "Unneeded", "Unneeded"]
    assert books.ask("SELECT sum(value) FROM entry") == [2]


def test_a_corrected_row_whose_id_was_told_otherwise_stays_out(books):
    first = quarantine(books)
    second = quarantine(books, BAD.replace(b"1.5", b"2.5"))
    retried(books, first, Correction(set_to={"value": "1.5"}))

    answer = retried(books, second, Correction(set_to={"value": "2.5"}))

    assert isinstance(answer, Declined)
    assert "row_id" in answer.text
    assert classes(books) == ["quarantined"]
    assert books.ask("SELECT count(*) FROM intake") == [3]


def test_a_whole_message_that_can_be_read_by_now_is_recorded_row_by_row(books):
    raw = b'{"schema":"usage.1","sent_at":"%s","rows":[%s]}' % (
        datetime.now(UTC).isoformat().encode(),
        BAD.replace(b"1.5", b"3"),
    )
    letter = quarantine(books, raw, field="message", reason="is not a usage.1 message")

    assert isinstance(retried(books, letter), Acted)

    assert books.ask("SELECT value FROM entry") == [3]


def test_a_conflicting_row_is_declined_with_the_remedy_and_can_be_discarded(books):
    letter = conflict(books)

    answer = retried(books, letter)

    assert isinstance(answer, Declined)
    assert "an id of its own" in answer.text
    assert isinstance(discarded(books, letter), Acted)
    assert classes(books) == []
    assert books.ask("SELECT count(*) FROM row_conflict") == [1]


def test_a_failed_event_is_tried_again_from_the_start(books):
    letter = failed_event(books)

    assert isinstance(retried(books, letter), Acted)
    assert isinstance(retried(books, letter), Unneeded)

    assert books.ask("SELECT state, failures, due_at IS NOT NULL FROM event") == [("received", 0, True)]


@pytest.mark.parametrize("letter", ["me-1", "q-1", "rc-1", "ev-evt_1"])
def test_what_the_ledger_does_not_know_is_declined(books, letter):
    assert isinstance(retried(books, letter), Declined)
    assert isinstance(discarded(books, letter), Declined)


def test_only_a_row_in_quarantine_can_be_corrected(books, a_meter_event):
    letter = f"me-{a_meter_event('refused')}"

    assert isinstance(retried(books, letter, Correction(set_to={"value": "1"})), Declined)
    assert books.sent("state") == ["refused"]
