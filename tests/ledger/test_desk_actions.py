"""What persons did is on the books for ever, and a changed book shows."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from service.ledger.actions import Order, actions_on, broken_actions, note_action

ADA = Order(actor="ada@host", reason="because")


def note(books, subject="me-1", after="held"):
    with books.ledger.transaction() as tx:
        return note_action(tx, ADA, "retry", subject=subject, before="held", after=after)


def broken(books):
    with books.ledger.transaction() as tx:
        return broken_actions(tx)


def test_actions_are_numbered_without_gaps_and_chained(books):
    assert [note(books) for _ in range(3)] == [1, 2, 3]

    assert broken(books) == []
    assert books.ask("SELECT count(DISTINCT previous) FROM operator_action") == [3]


def test_an_action_that_is_rolled_back_leaves_no_gap(books):
    note(books)
    with books.ledger.transaction() as tx:
        note_action(tx, ADA, "retry", subject="me-2", before="held", after="held")
        tx.rollback()

    assert note(books) == 2


def test_actions_at_once_are_chained_one_after_the_other(books):
    with ThreadPoolExecutor(4) as pool:
        numbers = sorted(pool.map(lambda number: note(books, subject=f"me-{number}"), range(20)))

    assert numbers == list(range(1, 21))
    assert broken(books) == []


@pytest.mark.parametrize(
    "change",
    ["UPDATE operator_action SET reason = 'x'", "DELETE FROM operator_action", "TRUNCATE operator_action CASCADE"],
)
def test_an_action_never_changes(books, change):
    note(books)

    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="stays on the books"):
        books.write(change)


@pytest.mark.parametrize(
    ("forgery", "shows_at"),
    [
        ("UPDATE operator_action SET actor = 'eve' WHERE action_id = 2", 2),
        ("DELETE FROM operator_action WHERE action_id = 2", 3),
        ("UPDATE operator_action SET acted_at = acted_at + interval '1 s' WHERE action_id = 1", 1),
    ],
)
def test_a_book_changed_behind_the_ledgers_back_shows_where(books, forgery, shows_at):
    for _ in range(3):
        note(books)
    books.write("ALTER TABLE operator_action DISABLE TRIGGER USER")

    books.write(forgery)

    assert broken(books)[0] == shows_at


def test_a_letter_is_closed_once(books):
    note(books, after="discarded")

    with pytest.raises(psycopg.errors.UniqueViolation, match="closed_once"):
        note(books, after="discarded")


def test_the_newest_action_is_told_first(books):
    note(books)
    note(books, subject="me-2")

    with books.ledger.transaction() as tx:
        assert [action.action_id for action in actions_on(tx, None)] == [2, 1]
        assert [action.action_id for action in actions_on(tx, "me-1")] == [1]
