"""Steps beside a process' own: none waits for another, and none fails unheard."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from service.alarms import KINDS
from service.ledger import LedgerUnavailable
from service.unbilled import Unbilled
from workers._alarming import alarm_steps, kinds_for
from workers._beside import beside

PATIENCE_S = 10


def test_a_step_that_hangs_keeps_no_other() -> None:
    stopping, going, asked = threading.Event(), threading.Event(), threading.Event()

    def hang() -> int:
        going.wait(PATIENCE_S)
        return 0

    def ask() -> int:
        asked.set()
        return 0

    with beside({"post": hang, "watch": ask}, poll_s=0.01, stopping=stopping):
        assert asked.wait(PATIENCE_S)
        going.set()


def test_a_step_that_fails_stops_the_process_with_its_error() -> None:
    stopping = threading.Event()

    def fail() -> int:
        raise ZeroDivisionError("a mistake")

    with pytest.raises(ZeroDivisionError, match="a mistake"), beside({"watch": fail}, poll_s=0.01, stopping=stopping):
        assert stopping.wait(PATIENCE_S)


def test_what_is_away_is_waited_for() -> None:
    stopping, answers, asked = threading.Event(), [LedgerUnavailable("restarting")], threading.Event()

    def ask() -> int:
        if answers:
            raise answers.pop()
        asked.set()
        return 0

    with beside({"watch": ask}, poll_s=0.01, stopping=stopping):
        assert asked.wait(PATIENCE_S)


def test_where_unbilled_usage_is_sent_in_silence_its_alarms_of_before_clear(world: Any) -> None:
    (unbilled,) = [kind for kind in kinds_for(Unbilled.SEND) if kind.name == "unbilled"]
    world.write(
        "INSERT INTO alarm (account, kind, subject, is_urgent, rows, units, said)"
        " VALUES ('default', 'unbilled', 'cus_1/tokens', false, 1, 1, 'unbilled')"
    )

    world.watch(kinds=[unbilled])

    assert world.alarms() == []
    assert kinds_for(Unbilled.WARN) == list(KINDS)


@pytest.mark.parametrize(
    ("url", "steps"), [("", ["watch", "prices"]), ("https://example.com/", ["watch", "prices", "post"])]
)
def test_alarms_are_posted_where_there_is_a_receiver(world: Any, chosen: Any, url: str, steps: list[str]) -> None:
    settings = chosen(url)
    setup: Any = SimpleNamespace(settings=settings, timing=settings.timing, ledger=world.ledger, gateway=world.stripe)

    assert list(alarm_steps(setup)) == steps
