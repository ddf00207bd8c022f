"""No history bills twice or loses usage, and every mistake somebody made would be noticed."""

import pytest

from model.history import History
from model.rules import MUTATIONS

HISTORIES = 20_000
A_TEST = 2_000
MUTATED_MAX = 20_000
"""Histories until a mistake must have shown itself; most do within a hundred."""


@pytest.mark.parametrize("first", range(0, HISTORIES, A_TEST))
def test_no_history_bills_twice_or_loses_usage(first: int) -> None:
    played = ((number, History(number).play()) for number in range(first, first + A_TEST))
    assert [(number, wrong) for number, wrong in played if wrong] == []


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mistake_in_the_rules_is_caught(name: str) -> None:
    played = (History(number, rules=MUTATIONS[name]).play() for number in range(MUTATED_MAX))
    assert next((wrong for wrong in played if wrong), None) is not None


def test_a_history_is_the_same_when_played_again() -> None:
    one, again = History(144), History(144)
    assert (one.play(), one.state, list(one.told())) == (again.play(), again.state, list(again.told()))


def test_histories_end_in_every_way_that_the_ledger_knows() -> None:
    histories = [History(number) for number in range(2_000)]
    for history in histories:
        history.play()
    assert {history.state for history in histories} == {"accepted", "held", "refused"}
