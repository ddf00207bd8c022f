"""No history bills twice or loses usage. In two classes, so that two workers share them."""

import pytest

from model.history import History

HISTORIES = 200_000
A_TEST = 4_000


def wrongs(first: int) -> list[tuple[int, str]]:
    """The numbers of those that went wrong, and why."""
    played = ((number, History(number).play()) for number in range(first, first + A_TEST))
    return [(number, wrong) for number, wrong in played if wrong]


class TestFirstHalf:
    @pytest.mark.parametrize("first", range(0, HISTORIES // 2, A_TEST))
    def test_no_history_bills_twice_or_loses_usage(self, first: int) -> None:
        assert wrongs(first) == []


class TestSecondHalf:
    @pytest.mark.parametrize("first", range(HISTORIES // 2, HISTORIES, A_TEST))
    def test_no_history_bills_twice_or_loses_usage(self, first: int) -> None:
        assert wrongs(first) == []


def test_a_history_is_the_same_when_played_again() -> None:
    one, again = History(144, is_told=True), History(144, is_told=True)
    assert (one.play(), one.state, list(one.told())) == (again.play(), again.state, list(again.told()))


def test_histories_end_in_every_way_that_the_ledger_knows() -> None:
    histories = [History(number) for number in range(2_000)]
    for history in histories:
        history.play()
    assert {history.state for history in histories} == {"accepted", "held", "refused"}
