"""A file of rows, in Stripe's own template."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.csv_rows import read_timestamp
from meterpost.rows import UsageRow

Command = Callable[..., Any]
Published = Callable[[], list[UsageRow]]
Write = Callable[..., str]
HEADER = "timestamp,event_name,payload_stripe_customer_id,payload_value"
NOW = datetime.now(UTC).replace(microsecond=0)
GOOD = f"{int(NOW.timestamp())},api_requests,cus_1,5"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Make a file of these lines and return its path."""

    def written(*lines: str, header: str = HEADER) -> str:
        path = tmp_path / "usage.csv"
        path.write_text("\n".join([header, *lines]) + "\n", errors="surrogateescape")
        return str(path)

    return written


def test_all_three_of_stripes_timestamp_formats_are_read(command: Command, published: Published, write: Write) -> None:
    midnight = NOW.replace(hour=0, minute=0, second=0)
    india = midnight.strftime("%Y-%m-%dT05:30:00+0530")
    rows = [f"{stamp},api_requests,cus_1,1" for stamp in (f"{midnight:%Y-%m-%d}", india, int(midnight.timestamp()))]

    ran = command("usage", "import", write(*rows))

    assert ran.code == 0
    assert [row.occurred_at for row in published()] == [midnight] * 3


def test_stripes_own_three_rows_stand_in_the_examples() -> None:
    lines = (Path(__file__).parents[2] / "examples/usage.csv").read_text().splitlines()

    assert lines[0] == HEADER
    assert len({read_timestamp(line.split(",")[0]) for line in lines[1:]}) == 3


def test_the_same_file_twice_tells_the_same_row_ids(command: Command, published: Published, write: Write) -> None:
    path = write(GOOD, GOOD)

    command("usage", "import", path)
    command("usage", "import", path)

    assert list(Counter(row.row_id for row in published()).values()) == [2, 2]


MIDNIGHT = NOW.replace(hour=0, minute=0, second=0)
SAME_FILES = {
    "the same": lambda file: file,
    "without its last line end": lambda file: file.rstrip(b"\n"),
    "with lines of Windows": lambda file: file.replace(b"\n", b"\r\n"),
    "with a byte order mark": lambda file: b"\xef\xbb\xbf" + file,
    "with cells in quotes": lambda file: file.replace(b"cus_1", b'"cus_1"'),
    "with its value spelled otherwise": lambda file: file.replace(b",5\n", b", 5.00\n"),
    "with its time spelled otherwise": lambda file: file.replace(
        str(int(MIDNIGHT.timestamp())).encode(), f"{MIDNIGHT:%Y-%m-%d}".encode()
    ),
    "with its rows in another order": lambda file: b"".join(
        [(lines := file.splitlines(keepends=True))[0], *reversed(lines[1:])]
    ),
}


@pytest.mark.parametrize("copy", SAME_FILES)
def test_a_file_saved_again_tells_the_row_ids_that_it_told(
    command: Command, published: Published, write: Write, *, copy: str
) -> None:
    row = f"{int(MIDNIGHT.timestamp())},api_requests,cus_1,5"
    path = Path(write(row, row, row.replace("cus_1", "cus_2")))
    command("usage", "import", str(path))
    path.write_bytes(SAME_FILES[copy](path.read_bytes()))

    command("usage", "import", str(path))

    assert [(row.customer, told) for row, told in Counter(published()).items()] == [
        ("cus_1", 2),
        ("cus_1", 2),
        ("cus_2", 2),
    ]


def test_rows_appended_inserted_or_corrected_are_all_that_is_new(
    command: Command, published: Published, write: Write
) -> None:
    command("usage", "import", write(GOOD, GOOD, "soon,api_requests,cus_1,1"))
    other = GOOD.replace("cus_1", "cus_2")
    command("usage", "import", write(other, GOOD, GOOD, GOOD.replace(",5", ",1"), GOOD))

    assert sorted(Counter(row.row_id for row in published()).values()) == [1, 1, 1, 2, 2]


def test_the_same_rows_of_another_source_are_other_rows(command: Command, published: Published, write: Write) -> None:
    command("usage", "import", write(GOOD))
    command("usage", "import", write(GOOD), "--source", "branch")

    assert len({(row.source, row.row_id) for row in published()}) == 2


def test_a_file_that_gets_units_later_tells_the_same_rows(command: Command, published: Published, write: Write) -> None:
    command("usage", "import", write(GOOD, GOOD))
    command("usage", "import", write(GOOD + ",call", GOOD + ", ", header=HEADER + ",unit"))

    rows = published()
    assert [row.unit for row in rows] == [None, None, "call", None]
    assert len({row.row_id for row in rows}) == 2


def test_a_row_of_another_unit_than_the_rate_cards_is_bad_by_its_line(
    command: Command, queue: str, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = tmp_path / "card.toml"
    card.write_text('currency = "usd"\n[[metrics]]\nmetric = "api_requests"\nunit = "call"\nprice = 1\n')
    monkeypatch.setenv("METERPOST_RATE_CARD", str(card))

    ran = command("usage", "import", write(GOOD + ",call", GOOD + ",kilocall", header=HEADER + ",unit"), "--json")

    (bad,) = ran.json["bad_lines"]
    assert (ran.json["published"], bad["line"], bad["column"]) == (1, 3, "unit")


def test_bad_rows_are_listed_by_line_and_column_and_the_others_go(
    command: Command, published: Published, write: Write
) -> None:
    bad = ["soon,api_requests,cus_1,1", GOOD.replace("cus_1", "alice"), GOOD + "e3", GOOD + ",6", '"' + GOOD]

    ran = command("usage", "import", write(GOOD, *bad[:4], GOOD, bad[4]), "--json")

    where = [(line["line"], line["column"]) for line in ran.json["bad_lines"]]
    assert where == [(3, "timestamp"), (4, "payload_stripe_customer_id"), (5, "payload_value"), (6, ""), (8, "")]
    assert (ran.code, ran.json["published"], ran.json["bad"], len(published())) == (1, 2, 5, 2)


def test_bad_rows_are_said_to_people_with_what_to_do(command: Command, queue: str, write: Write) -> None:
    ran = command("usage", "import", write(GOOD + "e3"))

    assert "payload_value" in ran.out
    assert "0 rows published, 1 bad" in ran.err
    assert "import it again" in ran.err


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (HEADER + ",colour", "'colour' is not known"),
        (HEADER + ",timestamp", "'timestamp' is there twice"),
        (HEADER.replace("timestamp,", ""), "timestamp is missing"),
        ("", "is missing"),
    ],
)
def test_a_wrong_header_publishes_nothing_and_names_the_column(
    command: Command, published: Published, write: Write, *, header: str, reason: str
) -> None:
    ran = command("usage", "import", write(GOOD, header=header))

    assert ran.code == 2
    assert reason in ran.err
    assert published() == []


def test_what_a_spreadsheet_puts_before_the_header_is_no_part_of_it(
    command: Command, published: Published, write: Write
) -> None:
    ran = command("usage", "import", write(GOOD, header="\ufeff" + HEADER))

    assert (ran.code, len(published())) == (0, 1)


@pytest.mark.parametrize("text", ["\udcff", "\x00", "x" * 20_000, "\x1b[2J"])
def test_a_line_of_rubbish_is_one_bad_row(command: Command, published: Published, write: Write, text: str) -> None:
    ran = command("usage", "import", write(GOOD, GOOD.replace("cus_1", text), GOOD, "x"))

    assert [line.split()[0] for line in ran.out.splitlines()[1:]] == ["3", "5"]
    assert "\x1b" not in ran.out
    assert len(published()) == 2


def test_only_the_first_hundred_of_many_bad_rows_are_listed(command: Command, queue: str, write: Write) -> None:
    ran = command("usage", "import", write(*["x,x,x,x"] * 150), "--json")

    assert (ran.json["bad"], len(ran.json["bad_lines"])) == (150, 100)


def test_a_long_file_goes_in_messages_of_a_thousand_rows(command: Command, published: Published, write: Write) -> None:
    at = int((NOW - timedelta(days=3)).timestamp())

    ran = command("usage", "import", write(*[f"{at + n},api_requests,cus_1,{n}" for n in range(2_500)]), "--json")

    assert ran.json == {"published": 2_500, "bad": 0, "bad_lines": []}
    assert len({row.row_id for row in published()}) == 2_500


def test_rows_through_a_pipe_have_the_ids_that_they_have_in_a_file(
    command: Command, published: Published, write: Write
) -> None:
    path = Path(write(GOOD))
    command("usage", "import", str(path))

    piped = [sys.executable, "-c", "from cli.main import main; main()", "usage", "import", "-"]
    subprocess.run(piped, input=path.read_bytes(), check=True, capture_output=True)

    assert len({row.row_id for row in published()}) == 1


def test_a_file_that_is_not_there_is_an_error_of_usage(command: Command, queue: str) -> None:
    ran = command("usage", "import", "nowhere.csv")

    assert ran.code == 2
    assert "nowhere.csv" in ran.err
