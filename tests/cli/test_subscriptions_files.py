"""What a file of subscriptions says, line by line, whatever a spreadsheet or a program made of it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from cli.subscription_cells import write_cell
from cli.subscription_columns import MEANINGS, place_of
from cli.subscription_files import LINE_CHARS_MAX, Line, RejectedLine, open_rows
from cli.subscription_template import text
from meterpost.subscription import FIELDS, SubscriptionRow, read_subscription

Command = Callable[..., Any]
EXAMPLE = Path(__file__).parents[2] / "examples/subscriptions.csv"
PAGE = Path(__file__).parents[2] / "docs/subscriptions.md"


def csv_lines(*lines: str) -> list[Line | RejectedLine]:
    return list(open_rows(BytesIO("\n".join(lines).encode(errors="surrogateescape")), "csv").lines)


def ndjson_lines(*lines: str) -> list[Line | RejectedLine]:
    return list(open_rows(BytesIO("\n".join(lines).encode(errors="surrogateescape")), "ndjson").lines)


def said(lines: list[Line | RejectedLine]) -> list[Any]:
    return [dict(line.said) if isinstance(line, Line) else (line.line, line.column) for line in lines]


def test_every_field_of_a_row_has_a_column_with_its_meaning() -> None:
    assert MEANINGS.keys() == set(FIELDS) - {"account", "import_name"}


def test_every_column_is_told_in_the_documents_and_in_the_example() -> None:
    header = next(line for line in EXAMPLE.read_text().splitlines() if not line.startswith("#")).split(",")

    assert [field for field in MEANINGS if f"`{field}`" not in PAGE.read_text()] == []
    assert {place_of(name).field for name in header} >= MEANINGS.keys() - {"replaces", "source"}


@pytest.mark.parametrize(
    "name", ["Customer_ID", "customer", " CUSTOMER ", "Customer ID", "customer-id", "\ufeffcustomer_id"]
)
def test_a_column_is_known_in_capitals_or_not_and_by_the_apps_names(name: str) -> None:
    assert said(csv_lines(f"{name},Price_ID", "cus_1,price_1")) == [{"customer": "cus_1", "price": "price_1"}]


def test_parts_of_a_field_have_columns_of_their_own_and_keys_keep_their_capitals() -> None:
    header = "customer,price,metadata.Plan,Billing_Cycle_Anchor_Config.Day_Of_Month,rejected_reason"

    (line,) = said(csv_lines(header, "cus_1,price_1,gold,15,No such customer"))

    assert (line["metadata"], line["billing_cycle_anchor_config"]) == ({"Plan": "gold"}, {"day_of_month": "15"})
    assert len(line) == 4


def test_empty_cells_say_nothing_and_empty_lines_are_none() -> None:
    lines = csv_lines("customer,price,coupon", "", ",,", "cus_1, price_1 ,", "  ")

    assert said(lines) == [{"customer": "cus_1", "price": "price_1"}]


def test_instants_and_truths_are_read_as_spreadsheets_write_them() -> None:
    header = "customer,price,backdate_start_date,off_session,cancel_at"

    (line,) = said(csv_lines(header, "cus_1,price_1,2026-03-01,TRUE,max_period_end"))

    assert list(line.values())[2:] == ["2026-03-01T00:00:00+00:00", True, "max_period_end"]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("customer,price,copuon", "'copuon' is not known; did you mean coupon?"),
        ("customer,price,colour_of_it", "the columns are customer, price"),
        ("customer,Customer_ID,price", "'Customer_ID' is there twice, also as 'customer'"),
        ("customer", "the column price is missing"),
        ("customer;price", "separated by commas"),
        ("customer\tprice", "separated by commas"),
        ("customer,price,metadata,metadata.a", "keep one of both"),
        ("customer,price,billing_cycle_anchor_config.week", "is not known"),
        ("\udcff\udcfec\0u\0", "is not UTF-8"),
        ('"customer', "is not CSV"),
        ("", "the file is empty"),
        ("# only a comment", "the file is empty"),
    ],
)
def test_a_header_that_is_none_is_said_with_the_remedy(
    command: Command, tmp_path: Path, header: str, reason: str
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(header, errors="surrogateescape")

    ran = command("subscriptions", "import", str(path), "--dry-run")

    assert (ran.code, reason in " ".join(ran.err.split())) == (2, True), ran.err


def test_comments_are_skipped_and_counted_but_not_within_a_cell() -> None:
    lines = csv_lines("# about", "customer,price,footer", '# a " quote', 'cus_1,price_1,"a\n# b"', "x")

    assert said(lines) == [{"customer": "cus_1", "price": "price_1", "footer": "a\n# b"}, (6, "")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_as_they_like(end: str) -> None:
    rows = open_rows(BytesIO(end.join(["customer,price", "cus_1,price_1", "cus_2,price_1"]).encode()), "csv")

    assert [line.said["customer"] for line in rows.lines if isinstance(line, Line)] == ["cus_1", "cus_2"]


@pytest.mark.parametrize(
    "bad", ["cus_1", "cus_1,price_1,x,y", 'cus_1,"price_1"x,', "cus_1,price_1,\udcff", "x" * 200_000]
)
def test_a_bad_line_is_one_and_the_next_is_read(bad: str) -> None:
    lines = csv_lines("customer,price,coupon", bad, "cus_2,price_1,")

    assert isinstance(lines[0], RejectedLine)
    assert said(lines[1:]) == [{"customer": "cus_2", "price": "price_1"}]


def test_a_quote_that_is_not_closed_costs_a_thousand_lines_and_says_which() -> None:
    lines = csv_lines("customer,price,coupon", 'cus_1,price_1,"x', *["cus_2,price_1,"] * 1_500)

    assert lines[0].reason.endswith("the lines 2 to 1002 could not be told apart and are left out")
    assert len(lines) == 501


def test_the_half_line_at_a_files_end_is_bad() -> None:
    assert said(csv_lines("customer,price,coupon", "cus_1,price_1,", 'cus_2,price_1,"SPR'))[1] == (3, "")
    assert "the file ends within it" in ndjson_lines('{"customer": "cus_1"}', '{"customer": "cu')[1].reason


def test_ndjson_is_an_object_a_line_with_the_same_names() -> None:
    lines = ndjson_lines('{"Customer_ID": "cus_1", "metadata": {"A": "b"}, "coupon": null}', "", "# no row", '{"x": 1}')

    assert said(lines) == [{"customer": "cus_1", "metadata": {"A": "b"}}, {"x": 1}]


@pytest.mark.parametrize("told", ['"2027-03-01"', '"2027-03-01T01:00:00+0100"', "1803859200", '"1803859200"'])
def test_ndjson_takes_the_instants_that_csv_takes(told: str) -> None:
    assert said(ndjson_lines(f'{{"Cancel_At": {told}}}')) == [{"cancel_at": "2027-03-01T00:00:00+00:00"}]


@pytest.mark.parametrize("told", ["true", "1803859200.5", '"max_period_end"', '["2027-03-01"]'])
def test_what_is_no_instant_in_ndjson_stays_what_it_is(told: str) -> None:
    assert said(ndjson_lines(f'{{"cancel_at": {told}}}')) == [
        json.loads(f'{{"cancel_at": {told}}}', parse_float=Decimal)
    ]


@pytest.mark.parametrize(
    "bad",
    [
        "[1]",
        "nothing",
        '{"a": NaN}',
        '{"a": 1, "a": 2}',
        '{"customer": "1", "Customer_ID": "2"}',
        "[" * 9_999,
        '"\udcff"',
    ],
)
def test_a_broken_line_of_ndjson_is_one_and_the_next_is_read(bad: str) -> None:
    lines = ndjson_lines(bad, '{"customer": "cus_2"}')

    assert (type(lines[0]), said(lines[1:])) == (RejectedLine, [{"customer": "cus_2"}])


def test_a_line_longer_than_any_row_is_skipped_whole() -> None:
    lines = ndjson_lines("x" * (3 * LINE_CHARS_MAX), '{"customer": "cus_2"}')

    assert said(lines) == [(1, ""), {"customer": "cus_2"}]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (True, "true"),
        (["txr_1", "txr_2"], "txr_1;txr_2"),
        ([["PO", "47=11"]], "PO=47=11"),
        ([["P=O", "4711"]], '[["P=O", "4711"]]'),
        ({"a": "x;y"}, '{"a": "x;y"}'),
        ({"[a": "b"}, '{"[a": "b"}'),
        ({"day_of_month": 15}, "day_of_month=15"),
    ],
)
def test_what_has_a_separator_of_its_own_is_written_as_json(value: object, cell: str) -> None:
    assert write_cell(value) == cell


def test_the_template_explains_every_column_and_its_examples_are_rows(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "template.csv"
    path.write_text(text().replace("# cus_", "cus_"))

    ran = command("subscriptions", "import", str(path), "--dry-run", "--json")

    assert [field for field in MEANINGS if f"# {field} " not in text()] == []
    assert (ran.code, ran.json["rows"], ran.json["bad"]) == (0, 2, 0)


def test_a_template_is_never_written_over_a_file(command: Command, tmp_path: Path) -> None:
    command("subscriptions", "template", "-o", "rows.csv")
    (tmp_path / "rows.csv").write_text("mine")

    ran = command("subscriptions", "template", "-o", "rows.csv")

    assert (ran.code, (tmp_path / "rows.csv").read_text()) == (1, "mine")


def test_the_example_has_a_dozen_good_rows() -> None:
    lines = said(csv_lines(EXAMPLE.read_text()))

    rows = [read_subscription(line, now=datetime(2026, 12, 1, tzinfo=UTC)) for line in lines]

    assert [row for row in rows if not isinstance(row, SubscriptionRow)] == []
    assert len(rows) >= 12


def test_the_text_of_a_cell_may_be_json(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    fields = json.dumps([["PO; number", "4711"]]).replace('"', '""')
    path.write_text(f'customer,price,custom_fields\ncus_1,price_1,"{fields}"\n')

    assert command("subscriptions", "import", str(path), "--dry-run", "--json").json["rows"] == 1
