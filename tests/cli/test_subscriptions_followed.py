"""What becomes of a file's rows is asked of the ledger, by whoever wants to know, with the file or without it."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from meterpost.subscription import SubscriptionRow

Command = Callable[..., Any]
Told = Callable[[], list[SubscriptionRow]]
ROWS = "customer,price\ncus_1,price_1\ncus_2,price_1\ncus_3,price_1\ncus_4,price_1\n"
PROGRAM = [sys.executable, "-c", "from cli.main import main; main()", "subscriptions"]
SETTLED = """
    UPDATE signup SET state = 'created', subscription = 'sub_1', due_at = NULL WHERE said ->> 'customer' = 'cus_1';
    UPDATE signup SET state = 'blocked', reason = 'another', due_at = NULL WHERE said ->> 'customer' = 'cus_2';
    UPDATE signup SET state = 'refused', reason = 'No such price', due_at = NULL WHERE said ->> 'customer' = 'cus_3';
    UPDATE signup SET state = 'held', reason = 'lost' WHERE said ->> 'customer' = 'cus_4';
"""
CREATED = "UPDATE signup SET state = 'created', subscription = 'sub_' || signup_id, due_at = NULL"


@pytest.fixture
def file(bare: Path) -> str:
    path = bare / "rows.csv"
    path.write_text(ROWS)
    return str(path)


@pytest.fixture
def workers(told: Told, books: Any) -> Iterator[Callable[[str], "Future[None]"]]:
    """Record what comes onto the queue and leave it in these states, as other processes would."""

    def work(statement: Any) -> None:
        books.sign_up(next(filter(None, iter(told, None))))
        books.execute(statement)

    with ThreadPoolExecutor(1) as others:
        yield lambda statement: others.submit(work, statement)


def test_import_waits_until_all_is_settled_and_tells_it_by_state(
    command: Command, file: str, workers: Callable[[str], "Future[None]"]
) -> None:
    workers(SETTLED)

    ran = command("subscriptions", "import", file, "--json")

    assert ran.json["states"] == {"blocked": 1, "created": 1, "held": 1, "refused": 1}
    assert (ran.code, ran.json["is_settled"], ran.json["rejected"]) == (1, True, 2)


def test_the_words_say_what_to_do_about_what_failed(
    command: Command, file: str, workers: Callable[[str], "Future[None]"]
) -> None:
    workers(SETTLED)

    err = command("subscriptions", "import", file, "--name", "spring").err

    assert "spring: 1 blocked, 1 created, 1 held, 1 refused" in err
    assert "2 rows to correct in rows.rejected.csv" in err.replace(str(Path(file).parent) + "/", "")
    assert "retry-failed --import spring" in err


def test_the_same_file_again_makes_nothing_and_says_where_its_rows_are(
    command: Command, file: str, workers: Callable[[str], "Future[None]"]
) -> None:
    workers(CREATED)
    command("subscriptions", "import", file, "--name", "first")
    workers("SELECT 1")

    ran = command("subscriptions", "import", file, "--name", "second", "--json")

    assert ran.json["known"] == [{"import_name": "first", "state": "created", "rows": 4}]
    assert (ran.code, ran.json["states"], ran.json["on_queue"]) == (0, {}, 0)


def test_an_id_that_was_told_with_other_content_is_said_and_not_taken_for_known(
    command: Command, file: str, told: Told, workers: Callable[[str], "Future[None]"]
) -> None:
    Path(file).write_text("customer,price,row_id\ncus_1,price_1,7\n")
    workers(CREATED)
    command("subscriptions", "import", file, "--name", "spring")
    Path(file).write_text("customer,price,row_id,coupon\ncus_1,price_1,7,SPRING25\n")

    dry = command("subscriptions", "import", file, "--dry-run", "--json").json
    ran = command("subscriptions", "import", file, "--name", "spring")

    assert (dry["told_otherwise"], dry["known"], dry["calls"], len(told())) == (1, [], 0, 1)
    assert (ran.code, "1 rows have the ids of others that say another thing" in ran.err) == (1, True)


@pytest.mark.parametrize(("left", "code"), [("created", 0), ("held", 3), ("refused", 1), ("conflict", 1)])
def test_the_exit_code_says_whether_a_person_is_needed(
    command: Command, file: str, told: Told, books: Any, *, left: str, code: int
) -> None:
    command("subscriptions", "import", file, "--name", "spring", "--no-wait")
    books.sign_up(told())
    due = "now()" if left == "held" else "NULL"
    books.execute(f"UPDATE signup SET state = '{left}', reason = 'why', subscription = 'sub_1', due_at = {due}")
    Path(file).unlink()

    assert command("subscriptions", "follow", "spring").code == code


def test_an_import_that_is_not_known_is_said(command: Command, books: Any) -> None:
    ran = command("subscriptions", "follow", "nothing")

    assert (ran.code, "knows no import 'nothing'" in ran.err) == (1, True)


def test_ctrl_c_ends_the_looking_and_nothing_else(command: Command, file: str, told: Told, books: Any) -> None:
    program = subprocess.Popen([*PROGRAM, "import", file, "--name", "n"], stderr=subprocess.PIPE, text=True)
    assert "4 on the queue" in program.stderr.readline()  # type: ignore[union-attr]
    program.send_signal(signal.SIGINT)

    assert "meterpost subscriptions follow n" in program.communicate(timeout=30)[1]
    assert (program.returncode, len(told())) == (130, 4)


def test_bad_lines_and_warnings_are_told_once_and_before_the_watch(
    command: Command, file: str, told: Told, books: Any
) -> None:
    Path(file).write_text("customer,price,setup_fee\nalice,price_1,\ncus_1,price_1,49\n")
    program = subprocess.Popen([*PROGRAM, "import", file], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    assert program.stderr is not None
    seen = [program.stdout.readline(), program.stdout.readline(), *iter(program.stderr.readline, "1 on the queue\n")]
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=30)

    assert [seen[1].split()[:2], "stays incomplete" in "".join(seen[2:])] == [["2", "customer"], True]
    assert ("alice" in out, "stays incomplete" in err) == (False, False)


def test_what_the_door_could_not_read_is_told_apart(command: Command, file: str, queue: str, books: Any) -> None:
    quarantined = """
        INSERT INTO intake (messages, rows, recorded, duplicates, conflicts, quarantined) VALUES (1, 1, 0, 0, 0, 1);
        INSERT INTO quarantine (intake_id, raw, row_id, reason, schema)
        SELECT intake_id, '\\x00', 'q1', 'late', 'subscription.1' FROM intake ORDER BY intake_id DESC LIMIT 1
    """
    Path(file).write_text("customer,price,row_id\ncus_1,price_1,q1\n")
    books.execute(quarantined)

    ran = command("subscriptions", "import", file, "--json")

    assert (ran.code, ran.json["quarantined"], ran.json["on_queue"]) == (1, 1, 0)


def test_without_a_ledger_it_ends_when_the_queue_has_the_rows(command: Command, file: str, told: Told) -> None:
    ran = command("subscriptions", "import", file, "--json")

    assert (ran.code, ran.json["on_queue"], ran.json["is_settled"], len(told())) == (0, 4, False, 4)
