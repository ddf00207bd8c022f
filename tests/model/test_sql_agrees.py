"""The ledger's own statements say what the model says, after every step; and where one is wrong, that shows."""

from collections.abc import Iterator
from functools import partial

import pytest

from model.history import History
from model.sql_ledger import Disagreement, SqlLedger
from model.twice import TwiceLane
from service.ledger import connection

HISTORIES = 60
A_TEST = 20
MUTATIONS = {
    "a late answer is dropped": ("close_attempt", " OR code = 'lost'", ""),
    "any holder renews": ("renew_lease", "fence = %(fence)s", "fence >= %(fence)s"),
    "an older holder's attempt stays open": ("dead_attempts", "fence < %(fence)s", "fence < %(fence)s - 1"),
    "the first doubt is not kept": ("note_doubt", "ambiguous_since IS NULL", "false"),
    "what is held is not accepted": ("accept_held", "state = 'held'", "state = 'unknown'"),
    "a new generation rings no bell": ("next_generation", "due_at = least(due_at, ledger_now())", "fence = fence"),
    "a replay is not known as one": ("attempts_of", "a.status, a.is_replayed,", "a.status, false AS is_replayed,"),
    "a canary may have been called for before": ("held_minute", "early.started_at <= d.last_attempt_at", "false"),
    "an attempt's end is not waited for": ("held_minute", "coalesce(a.ended_at, a.started_at)", "a.started_at"),
}
"""A statement, what is right in it, and what is wrong instead."""
MUTATED_MAX = 40
"""Histories until a wrong statement must have shown itself; most do in the first."""


@pytest.fixture
def sql_ledger(database_url: str) -> Iterator[SqlLedger]:
    ledger = SqlLedger(database_url)
    yield ledger
    ledger.close()


@pytest.mark.parametrize("first", range(0, HISTORIES, A_TEST))
def test_the_ledger_agrees_with_the_model_after_every_step(sql_ledger: SqlLedger, first: int) -> None:
    make_lane = partial(TwiceLane, ledger=sql_ledger)
    played = ((number, History(number, make_lane=make_lane).play()) for number in range(first, first + A_TEST))
    assert [(number, wrong) for number, wrong in played if wrong] == []


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_wrong_statement_disagrees(sql_ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    statement, right, wrong = MUTATIONS[name]
    said = connection.sql(statement).replace(right.encode(), wrong.encode())
    texts = connection.sql
    monkeypatch.setattr(connection, "sql", lambda asked: said if asked == statement else texts(asked))
    histories = (History(number, make_lane=partial(TwiceLane, ledger=sql_ledger)) for number in range(MUTATED_MAX))
    with pytest.raises(Disagreement):
        any(history.play() for history in histories)
