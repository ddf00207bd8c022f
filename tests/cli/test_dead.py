"""The desk at the command line: what needs a person, why, and what a person may do about it."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

Command = Callable[..., Any]
MakeRow = Callable[..., Any]

REFUSED = """
    INSERT INTO meter_event (lane_id, meter_stripe_id, formula, bucket, stamped_at, value, entries, payload,
        is_unbilled, state, reason)
    SELECT lane_id, 'mtr_1', 'sum', bucket, date_trunc('second', occurred_at), value, 1, '{}', false, 'refused',
        'No such customer' FROM entry ORDER BY entry_id;
    UPDATE entry SET meter_event_id = (
        SELECT meter_event_id FROM meter_event WHERE lane_id = entry.lane_id AND value = entry.value
    );
    INSERT INTO generation (meter_event_id, generation, identifier)
    SELECT meter_event_id, 1, 'idt_' || meter_event_id FROM meter_event;
    INSERT INTO attempt (lane_id, meter_event_id, generation, idempotency_key, fence, ended_at, outcome, request_id)
    SELECT lane_id, meter_event_id, 1, 'idt', 1, ledger_now(), 'refused', 'req_' || meter_event_id FROM meter_event;
"""
BAD = b'{"row_id":"r1","customer":"cus_1","meter":"tokens","value":1.5,"occurred_at":null}'


@pytest.fixture
def refused(books: Any, usage_row: MakeRow) -> Callable[[int], list[str]]:
    """So many refused meter events; their letters."""

    def make(count: int) -> list[str]:
        books.record(*[usage_row(f"row-{n}", value=n + 1) for n in range(count)])
        books.execute(REFUSED)
        with psycopg.connect(books.url) as tx:
            return [f"me-{row[0]}" for row in tx.execute("SELECT meter_event_id FROM meter_event ORDER BY 1")]

    return make


def _actions(books: Any) -> list[Any]:
    with psycopg.connect(books.url) as tx:
        return tx.execute("SELECT verb, subject, actor, reason FROM operator_action ORDER BY action_id").fetchall()


def _states(books: Any) -> list[str]:
    with psycopg.connect(books.url) as tx:
        return [row[0] for row in tx.execute("SELECT state FROM meter_event ORDER BY meter_event_id")]


def test_an_empty_desk_says_so(command: Command, ledger: str) -> None:
    ran = command("dead", "list")

    assert ran.code == 0
    assert "nothing needs a person" in ran.err


def test_the_list_ends_with_the_totals_of_each_class(command: Command, books: Any, refused: Any) -> None:
    refused(2)
    books.quarantine(BAD, row_id="r1", reason="is a float")

    ran = command("dead", "list", "--json")

    assert [one["class"] for one in ran.json["letters"]].count("refused") == 2
    assert {one["class"]: one["letters"] for one in ran.json["totals"]} == {"refused": 2, "quarantined": 1}
    assert "refused: 2, the oldest since" in command("dead", "list").err


def test_a_page_says_where_the_next_one_begins(command: Command, refused: Any) -> None:
    letters = refused(3)

    first = command("dead", "list", "--limit", "2", "--json").json
    second = command("dead", "list", "--limit", "2", "--after", first["after"], "--json").json

    assert [one["letter"] for one in first["letters"] + second["letters"]] == letters
    assert second["after"] is None


def test_the_list_fits_a_terminal_of_100(command: Command, refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(1)
    for name, value in {"COLUMNS": "100", "TTY_COMPATIBLE": "1", "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)

    lines = re.sub(r"\x1b\[[0-9;]*m", "", command("dead", "list").out).splitlines()

    assert any("No such customer" in line for line in lines)
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["--class", "refused"], 2),
        (["--class", "held"], 0),
        (["--reason-like", "NO SUCH"], 2),
        (["--customer", "cus_2"], 0),
        (["--meter", "api_requests"], 2),
        (["--since", "2h"], 2),
        (["--since", "2999-01-01T00:00:00Z"], 0),
    ],
)
def test_the_list_shows_what_the_filter_says(command: Command, refused: Any, wanted: list[str], found: int) -> None:
    refused(2)

    assert len(command("dead", "list", *wanted, "--json").json["letters"]) == found


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "--class", "lost"], "--class"),
        (["list", "--since", "soon"], "2h"),
        (["list", "--after", "x"], "last page"),
        (["show", "12"], "me-123"),
        (["retry", "me-1"], "--reason"),
        (["retry", "q-1", "--set", "value", "--reason", "a"], "field=value"),
        (["drain", "--class", "refused", "--rate", "fast", "--reason", "a"], "5/s"),
        (["drain", "--reason", "a"], "--class"),
    ],
)
def test_what_is_typed_wrongly_names_what_is_right(
    command: Command, ledger: str, arguments: list[str], said: str
) -> None:
    ran = command("dead", *arguments)

    assert ran.code == 2
    assert said in ran.err


def test_a_refused_meter_event_shows_its_rows_its_calls_and_what_can_be_done(command: Command, refused: Any) -> None:
    (letter,) = refused(1)
    number = letter.removeprefix("me-")

    out = command("dead", "show", letter).out

    assert out.index("Reason: No such customer") < out.index("row row-0") < out.index(f"request req_{number}")
    assert "Remedy: dead retry" in out


def test_what_was_done_is_part_of_the_history(command: Command, refused: Any) -> None:
    (letter,) = refused(1)
    command("dead", "retry", letter, "--reason", "it exists now", "--actor", "ada")

    shown = command("dead", "show", letter, "--json").json

    assert shown["standing"] is None
    assert shown["actions"][0].items() >= {"verb": "retry", "actor": "ada", "reason": "it exists now"}.items()
    assert [one["generation"] for one in shown["meter_event"]["identifiers"]] == [1, 2]


def test_a_quarantined_row_is_corrected_and_shows_what_it_became(command: Command, books: Any) -> None:
    books.quarantine(BAD, row_id="r1", reason="is a float")

    ran = command(
        "dead", "retry", "q-1", "--set", "value=1.5", "--set", "occurred_at=" + _now(books), "--reason", "typo"
    )

    assert "quarantined → recorded" in ran.err
    assert "recorded as row r1 of app" in command("dead", "show", "q-1").out
    told = command("row", "show", "r1").out
    assert told.index("Row r1 of app: 1.5 tokens") < told.index("taken out of quarantine (q-1)")


def _now(books: Any) -> str:
    with psycopg.connect(books.url) as tx:
        return str(
            tx.execute("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')").fetchone()[0]
        )


def test_what_cannot_be_done_is_a_failure_that_names_the_field(command: Command, books: Any) -> None:
    books.quarantine(BAD, row_id="r1", reason="is a float")

    ran = command("dead", "retry", "q-1", "--set", "value=many", "--reason", "a")

    assert ran.code == 1
    assert "q-1: value: 'many' is not a plain decimal number" in ran.err
    assert _actions(books) == []


def test_a_conflicting_row_shows_both_contents(command: Command, books: Any, usage_row: MakeRow) -> None:
    books.record(usage_row("a", value=3))
    books.record(usage_row("a", value=4))

    out = command("dead", "show", "rc-1").out

    assert out.index("told first, and counts: 3") < out.index(": 4 api_requests")


def test_a_discarded_letter_leaves_the_list_and_keeps_its_story(command: Command, books: Any, refused: Any) -> None:
    (letter,) = refused(1)

    ran = command("dead", "discard", letter, "--reason", "credited", "--actor", "ada")

    assert (ran.code, "refused → discarded" in ran.err) == (0, True)
    assert command("dead", "list", "--json").json["letters"] == []
    assert "discard by ada (refused → discarded): credited" in command("dead", "show", letter).out
    assert _states(books) == ["refused"]


def test_a_letter_that_nobody_knows_is_a_failure_with_advice(command: Command, ledger: str) -> None:
    for arguments in (["show", "me-9"], ["retry", "me-9", "--reason", "a"], ["discard", "ev-evt_9", "--reason", "a"]):
        ran = command("dead", *arguments)
        assert ran.code == 1
        assert "meterpost dead list" in ran.err


def test_a_drain_retries_all_that_fit_each_with_its_action(command: Command, books: Any, refused: Any) -> None:
    letters = refused(3)

    ran = command("dead", "drain", "--class", "refused", "--rate", "1000/s", "--reason", "INC-42", "--actor", "ada")

    assert ran.code == 0
    assert "3 retried" in ran.err
    assert _states(books) == ["sealed"] * 3
    assert _actions(books) == [("retry", letter, "ada", "INC-42") for letter in letters]


def test_a_dry_run_tells_of_each_and_changes_nothing(command: Command, books: Any, refused: Any) -> None:
    letters = refused(2)

    ran = command("dead", "drain", "--class", "refused", "--dry-run", "--reason", "a")

    assert [line.split()[1] for line in ran.out.splitlines()] == letters
    assert all("would: " in line for line in ran.out.splitlines())
    assert _states(books) == ["refused"] * 2
    assert _actions(books) == []


def test_a_drain_says_what_it_could_not_retry(command: Command, books: Any) -> None:
    books.quarantine(BAD, row_id="r1", reason="is a float")

    ran = command("dead", "drain", "--class", "quarantined", "--reason", "a", "--json")

    assert ran.code == 3
    assert (ran.json["acted"], ran.json["declined"]) == (0, 1)
    assert ran.json["answers"][0]["text"].startswith("value: ")


def test_an_interrupted_drain_stops_between_two_letters(books: Any, refused: Any) -> None:
    refused(3)
    arguments = ["dead", "drain", "--class", "refused", "--rate", "1/min", "--reason", "a"]

    with subprocess.Popen(
        [Path(sys.executable).with_name("meterpost"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as drain:
        first = drain.stdout.readline()
        drain.send_signal(signal.SIGINT)
        _, err = drain.communicate(timeout=30)

    assert (drain.returncode, first.startswith("me-")) == (130, True), err
    assert "interrupted" in err
    assert sorted(_states(books)) == ["refused", "refused", "sealed"]


def test_the_audit_is_whole_until_somebody_changes_it(command: Command, books: Any) -> None:
    command("pause", "--reason", "a", "--actor", "ada")
    whole = command("dead", "audit", "--json")
    books.execute("ALTER TABLE operator_action DISABLE TRIGGER USER")
    books.execute("UPDATE operator_action SET actor = 'eve'")

    changed = command("dead", "audit", "--json")

    assert (whole.code, whole.json["broken"], whole.json["actions"][0]["actor"]) == (0, [], "ada")
    assert (changed.code, changed.json["broken"]) == (3, [1])
