"""What was rejected comes back as a file: corrected, and imported as it is."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.subscription_rejects import next_row_id
from meterpost.subscription import SubscriptionRow

Command = Callable[..., Any]
Told = Callable[[], list[SubscriptionRow]]
HEADER = "Customer_ID,Price_ID,Setup_Fee,Currency,metadata.Plan,Custom_Fields"
GOOD = "cus_1,price_1,49.00,usd,gold,PO=4711"
REFUSED = """
    INSERT INTO signup_attempt
        (signup_lane_id, signup_id, step, fence, ended_at, outcome, status, code, detail, request_id)
    SELECT
        signup_lane_id, signup_id, 'create', 1, ledger_now(), 'refused', 402, 'card_declined',
        'Your card was declined.', 'req_1'
    FROM signup;
    UPDATE signup SET state = 'refused', reason = 'Your card was declined.', due_at = NULL;
"""
BLOCKED = "UPDATE signup SET state = 'blocked', reason = 'sub_1 bills the same meter', due_at = NULL"


@pytest.fixture
def imported(command: Command, told: Told, books: Any, bare: Path) -> Callable[..., Path]:
    """Import a file of these lines, and have the ledger record it."""

    def done(*lines: str, header: str = HEADER, name: str = "rows.csv") -> Path:
        path = bare / name
        path.write_text("\n".join([header, *lines]) + "\n", errors="surrogateescape")
        command("subscriptions", "import", str(path), "--name", "spring", "--no-wait")
        books.sign_up(told())
        return path

    return done


def rows_of(path: str | Path) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        return list(csv.DictReader(file))


def test_bad_lines_come_back_as_they_were_with_the_reason(imported: Callable[..., Path], bare: Path) -> None:
    imported(GOOD, "alice,price_1,,,a\udcff,", "cus_1,price_1,49.005,usd,,")

    first, second = rows_of(bare / "rows.rejected.csv")

    assert (first["Customer_ID"], first["metadata.Plan"], first["rejected_line"]) == ("alice", "a\udcff", "3")
    assert (second["rejected_column"], second["source"], second["row_id"]) == ("Setup_Fee", "csv", "")
    assert "2 decimal places" in second["rejected_reason"]


def test_half_a_row_does_not_become_a_whole_one_because_nobody_corrected_it(
    command: Command, imported: Callable[..., Path], bare: Path
) -> None:
    imported("cus_1,price_1")

    (row,) = rows_of(bare / "rows.rejected.csv")
    assert (row["Customer_ID"], row["rejected_text"]) == ("", "cus_1,price_1")
    assert command("subscriptions", "import", "rows.rejected.csv", "--dry-run", "--json").json["rows"] == 0


def test_what_stripe_refused_comes_back_in_the_files_columns_as_a_row_that_replaces_it(
    command: Command, imported: Callable[..., Path], books: Any, told: Told
) -> None:
    path = imported(GOOD)
    books.execute(REFUSED)

    ran = command("subscriptions", "import", str(path), "--name", "spring", "--json")

    (row,) = rows_of(ran.json["rejected_file"])
    assert list(row)[:9] == [*HEADER.split(","), "row_id", "source", "replaces"]
    assert list(row.values())[:6] == ["cus_1", "price_1", "49", "usd", "gold", "PO=4711"]
    assert row["row_id"] == f"{row['replaces']}~2"
    assert row["rejected_by_stripe"] == "Your card was declined. (create, status 402, card_declined, request req_1)"


def test_a_corrected_file_is_imported_as_it_is(
    command: Command, imported: Callable[..., Path], books: Any, told: Told, bare: Path
) -> None:
    imported(GOOD)
    books.execute(REFUSED)
    command("subscriptions", "errors", "spring", "-o", "spring.rejected.csv")
    Path("spring.rejected.csv").write_text(Path("spring.rejected.csv").read_text().replace("49", "59"))
    told()

    ran = command("subscriptions", "import", "spring.rejected.csv", "--no-wait")

    (row,) = told()
    assert (ran.code, str(row.setup_fee), row.metadata) == (0, "59", (("Plan", "gold"),))
    assert row.row_id == f"{row.replaces}~2"


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_the_ledger_alone_writes_it_in_either_format(
    command: Command, imported: Callable[..., Path], books: Any, told: Told, kind: str
) -> None:
    path = imported(GOOD, "cus_2,price_1,,,,", "cus_3,price_1,,,,")
    books.execute(BLOCKED)
    path.unlink()

    command("subscriptions", "errors", "spring", "--format", kind, "-o", f"all.{kind}")
    command("subscriptions", "import", f"all.{kind}", "--no-wait")

    rows = told()
    assert sorted(row.customer for row in rows) == ["cus_1", "cus_2", "cus_3"]
    assert [row.row_id for row in rows] == [f"{row.replaces}~2" for row in rows]


def test_a_row_keeps_all_that_it_said_on_its_way_through_an_error_file(
    command: Command, imported: Callable[..., Path], books: Any, told: Told, bare: Path
) -> None:
    odd = '{"PO; number": "47=11", " a": "b "}'.replace('"', '""')
    imported(f'cus_1,price_1,,,,"{odd}","a ""b""\nc",txr_1;txr_2', header=f"{HEADER},footer,tax_rates")
    books.execute(BLOCKED)

    command("subscriptions", "errors", "spring", "-o", "odd.csv")
    command("subscriptions", "import", "odd.csv", "--no-wait")

    (row,) = told()
    assert row.custom_fields == (("PO; number", "47=11"), (" a", "b "))
    assert (row.footer, row.tax_rates) == ('a "b"\nc', ("txr_1", "txr_2"))


def test_an_error_file_is_never_written_over(imported: Callable[..., Path], bare: Path) -> None:
    imported("alice,,,,,")
    imported("bob,,,,,")
    imported("alice,,,,,", name="rows.rejected.csv")

    assert sorted(path.name for path in bare.glob("*.rejected.csv")) == [
        "rows.2.rejected.csv",
        "rows.3.rejected.csv",
        "rows.rejected.csv",
    ]


def test_a_file_where_nothing_was_rejected_leaves_none(imported: Callable[..., Path], bare: Path) -> None:
    imported(GOOD)

    assert [path.name for path in bare.iterdir()] == ["rows.csv"]


def test_lines_of_ndjson_come_back_as_objects_and_what_is_none_as_text(
    command: Command, imported: Callable[..., Path], told: Told, bare: Path
) -> None:
    imported(
        '{"Source": "crm", "customer": "cus_1"', '{"Customer": "alice", "price": "price_1"}', header="", name="a.ndjson"
    )

    lines = (bare / "a.rejected.ndjson").read_text().splitlines()

    assert '"rejected_text"' in lines[0]
    assert '"Customer": "alice"' in lines[1]
    assert command("subscriptions", "import", "a.rejected.ndjson", "--dry-run", "--json").json["bad"] == 2


@pytest.mark.parametrize("name", ["rows.ndjson", "rows.csv"])
@pytest.mark.parametrize(
    "odd", ['{"customer": "\\ud800"}', '{"\\ud800": 1}', "\udcff\x00", "\x1b[2J,,,,,", '"', "=1+1,,,,,"]
)
def test_whatever_a_line_has_its_error_file_can_be_read(
    command: Command, imported: Callable[..., Path], bare: Path, name: str, odd: str
) -> None:
    imported(odd, header=HEADER if name.endswith("csv") else "", name=name)

    (rejected,) = bare.glob("*.rejected.*")
    assert command("subscriptions", "import", rejected.name, "--dry-run", "--json").json["bad"] == 1


def test_an_error_file_that_cannot_be_written_stops_before_anything_is_published(
    command: Command, told: Told, bare: Path
) -> None:
    (bare / "rows.csv").write_text(f"{HEADER}\n{GOOD}\n")

    ran = command("subscriptions", "import", "rows.csv", "--errors", "nowhere/rows.csv")

    assert (ran.code, told(), "give another with --errors" in ran.err) == (1, [], True)


def test_a_discarded_row_is_not_among_them(command: Command, imported: Callable[..., Path], books: Any) -> None:
    imported(GOOD)
    books.execute(BLOCKED)
    command("dead", "discard", "su-1", "--reason", "not wanted any more")

    assert command("subscriptions", "errors", "spring").out == ""


def test_a_dash_is_stdout_as_it_is_elsewhere(command: Command, imported: Callable[..., Path], books: Any) -> None:
    imported(GOOD).unlink()
    books.execute(BLOCKED)

    ran = command("subscriptions", "errors", "spring", "-o", "-")

    assert ("cus_1,price_1" in ran.out, ran.err, Path("-").exists()) == (True, "1 rows to correct\n", False)
    assert command("subscriptions", "errors", "spring", "-o", "-", "--json").code == 2
    assert command("subscriptions", "template", "-o", "-").out.startswith("# A file of subscriptions")


def test_an_import_that_nobody_knows_is_said(command: Command, books: Any) -> None:
    ran = command("subscriptions", "errors", "nothing")

    assert (ran.code, "knows no import 'nothing'" in ran.err) == (1, True)


@pytest.mark.parametrize(("row_id", "following"), [("a", "a~2"), ("a~2", "a~3"), ("a~9", "a~10"), ("a~x", "a~x~2")])
def test_each_correction_has_an_id_of_its_own(row_id: str, following: str) -> None:
    assert next_row_id(row_id) == following


def test_an_id_of_the_longest_stays_one() -> None:
    following = next_row_id("x" * 100)

    assert len(following) <= 100
    assert next_row_id(following) == following.replace("~2", "~3")
