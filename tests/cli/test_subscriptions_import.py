"""A file of subscriptions onto the queue: each row once, the bad ones kept apart, and nothing in a dry run."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from meterpost.subscription import SubscriptionRow

Command = Callable[..., Any]
Told = Callable[[], list[SubscriptionRow]]
Write = Callable[..., str]
HEADER = "customer,price,coupon"
GOOD = "cus_1,price_1,"
PROGRAM = [sys.executable, "-c", "from cli.main import main; main()", "subscriptions", "import"]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Make a file of these lines and return its path."""

    def written(*lines: str, header: str = HEADER, name: str = "rows.csv") -> str:
        path = tmp_path / name
        path.write_text("\n".join([header, *lines]) + "\n", errors="surrogateescape")
        return str(path)

    return written


def ids(rows: list[SubscriptionRow]) -> list[str]:
    return [row.row_id for row in rows]


def test_rows_go_with_the_name_of_their_file_and_an_id_of_what_they_say(
    command: Command, told: Told, write: Write
) -> None:
    ran = command("subscriptions", "import", write(GOOD, "cus_2,price_1,X"), "--json")

    first, second = told()
    assert (ran.code, ran.json["published"], ran.json["rejected_file"]) == (0, 2, None)
    assert (first.source, first.import_name, second.coupon) == ("csv", ran.json["import"], "X")
    assert ran.json["import"].startswith("rows.csv@2")


SAME_FILES = {
    "the same": lambda file: file,
    "without its last line end": lambda file: file.rstrip(b"\n"),
    "with lines of Windows": lambda file: file.replace(b"\n", b"\r\n"),
    "with a byte order mark": lambda file: b"\xef\xbb\xbf" + file,
    "with cells in quotes": lambda file: file.replace(b"cus_1", b'"cus_1"'),
    "with other names of its columns": lambda file: file.replace(b"customer,price", b"Customer_ID,Price_ID"),
    "with an empty column more": lambda file: file.replace(b"\n", b",\n").replace(b"coupon,", b"coupon,footer", 1),
    "with its columns in another order": lambda file: b"\n".join(
        b",".join(line.split(b",")[::-1]) for line in file.splitlines()
    ),
    "with its rows in another order": lambda file: b"\n".join([(lines := file.splitlines())[0], *lines[:0:-1]]),
}


@pytest.mark.parametrize("copy", SAME_FILES)
def test_a_file_saved_again_tells_the_row_ids_that_it_told(
    command: Command, told: Told, write: Write, *, copy: str
) -> None:
    path = Path(write(GOOD, GOOD + "A", GOOD))
    command("subscriptions", "import", str(path), "--name", "first")
    before = ids(told())
    path.write_bytes(SAME_FILES[copy](path.read_bytes()))

    command("subscriptions", "import", str(path), "--name", "second")

    assert sorted(before) == sorted(ids(told()))
    assert len(set(before)) == 3


def test_an_id_that_is_told_twice_is_one_row_or_a_bad_line(command: Command, told: Told, write: Write) -> None:
    header = f"{HEADER},row_id"

    ran = command("subscriptions", "import", write(f"{GOOD},a", f"{GOOD},a", f"{GOOD}X,a", header=header), "--json")

    (bad,) = ran.json["bad_lines"]
    assert (ran.code, ran.json["published"], ran.json["repeated"], ids(told())) == (1, 1, 1, ["a"])
    assert (bad["line"], bad["column"], bad["reason"][:33]) == (4, "row_id", "line 2 tells this id with other c")


def test_bad_lines_are_listed_by_line_and_column_with_the_remedy(command: Command, told: Told, write: Write) -> None:
    header = "Customer_ID,Price_ID,Trial_Days,Automatic_Tax,Tax_Rate_IDs,Collection_Method"
    rows = [
        "alice,price_1,,,,",
        "cus_1,price_1,two,,,",
        "cus_1,price_1,,yes,txr_1,",
        "cus_1,price_1,,,,send_invoice",
        "x",
    ]

    ran = command("subscriptions", "import", write(*rows, header=header), "--json")

    where = [(line["line"], line["column"]) for line in ran.json["bad_lines"]]
    assert where == [(2, "Customer_ID"), (3, "Trial_Days"), (4, "Tax_Rate_IDs"), (5, "days_until_due"), (6, "")]
    assert (ran.code, ran.json["published"], told()) == (1, 0, [])
    assert "leave one of them out" in ran.json["bad_lines"][2]["reason"]


def test_a_dry_run_publishes_nothing_and_counts_calls(
    command: Command, told: Told, write: Write, tmp_path: Path
) -> None:
    header = "customer,price,setup_fee,currency,payment_method,customer_tax_ids"
    rows = ["cus_1,price_1,,,,", "cus_2,price_1,49.00,usd,pm_1,eu_vat:DE1;gb_vat:GB1", "cus_3,price_1,49.005,usd,,"]

    ran = command("subscriptions", "import", write(*rows, header=header), "--dry-run", "--json")

    assert (ran.code, ran.json["rows"], ran.json["bad"], ran.json["calls"]) == (1, 2, 1, 3 + 9)
    assert (told(), [path.name for path in tmp_path.iterdir()]) == ([], ["rows.csv"])


def test_a_dry_run_needs_neither_queue_nor_ledger_and_warns(command: Command, write: Write) -> None:
    began = (datetime.now(UTC) - timedelta(days=40)).date()
    header = "customer,price,backdate_start_date"

    ran = command(
        "subscriptions", "import", write(f"cus_1,price_1,{began}", "cus_1,price_1,", header=header), "--dry-run"
    )

    assert (ran.code, "2 good rows, 0 bad" in ran.err, "35 days" in ran.err) == (0, True, True)
    assert "line 3: line 2 has the same customer and price" in ran.err
    assert "at most 6 calls to Stripe" in ran.err


def test_a_dry_run_says_which_rows_the_ledger_has(command: Command, told: Told, books: Any, write: Write) -> None:
    path = write(GOOD, GOOD + "X")
    command("subscriptions", "import", path, "--name", "first", "--no-wait")
    books.sign_up(told())

    ran = command("subscriptions", "import", write(GOOD, GOOD + "X", GOOD + "Y"), "--dry-run", "--json")

    assert ran.json["known"] == [{"import_name": "first", "state": "due", "rows": 2}]
    assert ran.json["calls"] == 3


def test_rows_through_a_pipe_have_the_ids_that_they_have_in_a_file(
    command: Command, told: Told, write: Write, tmp_path: Path
) -> None:
    path = write(GOOD)
    command("subscriptions", "import", path)

    subprocess.run([*PROGRAM, "-", "--name", "p"], input=Path(path).read_bytes(), check=True, capture_output=True)

    first, second = told()
    assert (first.row_id, second.import_name) == (second.row_id, "p")
    assert [one.name for one in tmp_path.iterdir()] == ["rows.csv"]


def test_a_bar_at_a_terminal_changes_nothing_of_what_is_read(told: Told, write: Write) -> None:
    path = write(*[f"cus_{number},price_1," for number in range(900)])  # more than is read at once with the header
    terminal, its_end = pty.openpty()

    subprocess.run([*PROGRAM, path], stderr=its_end, check=True)
    os.close(its_end)

    assert (len(told()), b"900 rows published" in os.read(terminal, 1_000_000)) == (900, True)
    os.close(terminal)


def test_ndjson_may_tell_everything_that_a_row_has(command: Command, told: Told, tmp_path: Path) -> None:
    row = {"customer": "cus_1", "price": "price_1", "setup_fee": 49.5, "custom_fields": {"PO": "a;b"}, "source": "crm"}
    path = tmp_path / "rows.ndjson"
    path.write_text(json.dumps(row | {"row_id": "7", "tax_rates": ["txr_1"]}) + "\n")

    ran = command("subscriptions", "import", str(path))

    (row,) = told()
    assert (ran.code, row.source, row.row_id, str(row.setup_fee), row.custom_fields) == (
        0,
        "crm",
        "7",
        "49.5",
        (("PO", "a;b"),),
    )


def test_a_long_file_goes_in_messages_of_a_thousand_rows(command: Command, told: Told, write: Write) -> None:
    path = write(*[f"cus_{number},price_1," for number in range(1_500)])

    ran = command("subscriptions", "import", path, "--json")

    assert (ran.json["published"], len({row.row_id for row in told()})) == (1_500, 1_500)


def test_a_name_that_no_ledger_can_keep_is_an_error_of_usage(command: Command, queue: str, write: Write) -> None:
    for options in (["--name", "a\tb"], ["--name", ""], ["--source", "meterpost"], ["--format", "xml"]):
        assert command("subscriptions", "import", write(GOOD), *options).code == 2


def test_ctrl_c_while_publishing_says_how_to_go_on(told: Told, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    program = subprocess.Popen([*PROGRAM, str(pipe), "--name", "n"], stderr=subprocess.PIPE, text=True)
    with pipe.open("w") as lines:
        lines.write("\n".join([HEADER, *[f"cus_{number},price_1," for number in range(1_001)], ""]))
        lines.flush()
        published = next(filter(None, iter(told, None)))  # the command is under way
        program.send_signal(signal.SIGINT)
        lines.write(f"{GOOD}\n")

    assert "import it again with --name n" in program.communicate(timeout=30)[1]
    assert (program.returncode, len(published)) == (130, 1_000)
