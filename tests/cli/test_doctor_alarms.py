"""The doctor on alarms."""

from collections.abc import Callable
from typing import Any

import pytest

Command = Callable[..., Any]
ALARM = """
INSERT INTO alarm (account, kind, subject, is_urgent, rows, units, said)
VALUES ('default', 'closing', 'in_1', true, 1, 1, 'a draft closes'), ('default', 'late', 'in_2', false, 1, 1, 'late')
"""
POST = """
INSERT INTO alarm_post (post_id, account, alarm_id, what, was_urgent, body, made_at, due_at, given_up_at, reason)
SELECT 'ap_1', 'default', alarm_id, 'raised', true, '{}', ledger_now() - interval '4 days', null, ledger_now(), 'away'
FROM alarm WHERE kind = 'closing'
"""


@pytest.fixture
def pinned(books: Any) -> Any:
    books.execute("INSERT INTO account (account, stripe_account, is_live) VALUES ('default', 'acct_1', false)")
    return books


def _found(command: Command, name: str) -> list[Any]:
    return [one for one in command("doctor", "--json").json["findings"] if one["name"] == name]


def _asked(books: Any, more: str = "") -> None:
    books.execute(
        f"INSERT INTO alarm_question (account, kind, asked_at) VALUES ('default', 'late', ledger_now()) {more}"
    )


def test_an_urgent_alarm_is_a_warning_that_names_it(command: Command, pinned: Any) -> None:
    pinned.execute(ALARM)

    (found,) = _found(command, "alarms")

    assert (found["severity"], found["remedy"]) == ("warning", "meterpost alarms list")
    assert found["text"] == "1 of 2 are urgent: al-1 (closing) a draft closes"


def test_alarms_that_are_not_urgent_are_counted(command: Command, pinned: Any) -> None:
    pinned.execute(ALARM)
    pinned.execute("UPDATE alarm SET cleared_at = ledger_now() WHERE is_urgent")

    (found,) = _found(command, "alarms")

    assert (found["severity"], found["text"]) == ("fine", "1 late; none is urgent (meterpost alarms list)")


def test_what_is_not_asked_is_told_by_nobody_and_a_warning(command: Command, pinned: Any) -> None:
    (never,) = _found(command, "watching")
    _asked(pinned)
    (now,) = _found(command, "watching")
    pinned.execute("UPDATE ledger_clock SET ahead_by = '6 minutes'")

    (long_ago,) = _found(command, "watching")

    assert [one["severity"] for one in (never, now, long_ago)] == ["warning", "fine", "warning"]
    assert "the process reconcile" in long_ago["remedy"]


def test_a_question_that_fails_and_one_with_too_many_answers_are_warnings(command: Command, pinned: Any) -> None:
    _asked(pinned)
    pinned.execute("UPDATE alarm_question SET failures = 7, reason = 'no such column'")
    pinned.execute(
        "INSERT INTO alarm_question (account, kind, asked_at, subjects, left_out)"
        " VALUES ('default', 'unbilled', ledger_now(), 1500, 500)"
    )

    failing, many = _found(command, "watching")

    assert "of the kind late was not answered 7 times: no such column" in failing["text"]
    assert "of 1,500 of the kind unbilled, 500 have no alarm of their own" in many["text"]


def test_posts_that_wait_or_were_given_up_are_warnings(command: Command, pinned: Any) -> None:
    (none,) = _found(command, "alarm posts")
    pinned.execute(ALARM)
    pinned.execute(POST)
    (given_up,) = _found(command, "alarm posts")

    assert [none["severity"], given_up["severity"]] == ["fine", "warning"]
    assert "did not take 1 for days" in given_up["text"]
