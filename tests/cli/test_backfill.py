"""Backfills at the command line, as far as the ledger alone tells."""

import json
import resource
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from cli.backfill_files import read_file
from cli.csv_rows import BadLine
from service.ledger import sealing
from service.timing import FAST

REASON = ("--reason", "an outage")
HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=5)
PRICE = (
    '{"id": "price_1", "currency": "usd", "unit_amount_decimal": "2", "unit_amount": 2, "billing_scheme": "per_unit"}'
)
KNOWN = f"""
    INSERT INTO meter (account, meter, stripe_id, formula, customer_key, value_key, is_active)
    VALUES ('default', 'api_requests', 'mtr_1', 'sum', 'stripe_customer_id', 'value', true);
    INSERT INTO mirror (account, kind, object_id, as_of, is_deleted, facts, object)
    VALUES ('default', 'price', 'price_1', now(), false, '{{}}', '{PRICE}');
    INSERT INTO stretch (account, item, price, starts_at, ends_at, subscription, customer, meter_stripe_id, is_trial)
    VALUES ('default', 'si_1', 'price_1', now() - interval '9 days', now() + interval '9 days', 'sub_1', 'cus_1',
        'mtr_1', false)
"""


def line(**said):
    usual = {"customer": "cus_1", "meter": "api_requests", "value": 3, "occurred_at": HOUR.isoformat()}
    return json.dumps(usual | said)


@pytest.fixture
def ndjson(bare):
    def write(*lines):
        file = bare / "rows.ndjson"
        file.write_text("".join(f"{one}\n" for one in lines))
        return file

    return write


@pytest.fixture
def filled(command, books, ndjson):
    """An open backfill of these lines, in a ledger that knows a meter and who pays for it."""

    def fill(*lines):
        books.execute(KNOWN)
        command("backfill", "open", "march")
        return command("backfill", "add", "march", str(ndjson(*lines)))

    return fill


def test_a_preview_tells_rows_units_and_money_by_customer_and_meter(command, filled):
    filled(line(value=3), line(value=4))

    ran = command("backfill", "preview", "march", "--json")

    (change,) = ran.json["changes"]
    assert ran.code == 0
    assert (change["customer"], change["rows"], change["units"]) == ("cus_1", 2, "7")
    assert (change["amount"], change["currency"]) == (14, "usd")


def test_a_preview_tells_of_rows_that_look_like_recorded_ones_sealed_or_not(command, books, usage_row, filled):
    books.record(usage_row("told-before", value=3, occurred_at=HOUR.isoformat()))
    filled(line(value=3), line(value=4))
    unsealed = command("backfill", "preview", "march", "--json")
    with psycopg.connect(books.url) as tx:
        tx.execute("UPDATE unsealed SET seal_at = now() - interval '1 hour'")
        made = sealing.seal(tx, [1], timing=FAST)[0].meter_events

    sealed = command("backfill", "preview", "march", "--json")

    assert made == 1
    assert [(ran.code, ran.json["lookalikes"]) for ran in (unsealed, sealed)] == [(3, 1), (3, 1)]


def test_a_preview_tells_what_would_not_be_billed_and_why(command, filled):
    old = (HOUR - timedelta(days=40)).isoformat()
    filled(line(occurred_at=old), line(meter="unheard"), line(customer="cus_2"))

    ran = command("backfill", "preview", "march", "--json")

    assert ran.code == 3
    assert sorted(one["reason"][:20] for one in ran.json["problems"]) == [
        "its meter is not kno",
        "no subscription is k",
        "too old: Stripe take",
    ]


def test_a_preview_of_what_is_closed_says_that_it_is_over(command, filled):
    filled(line())
    command("backfill", "close", "march", *REASON)

    ran = command("backfill", "preview", "march")

    assert "it is closed, and has nothing to record any more: see meterpost backfill show march" in ran.err
    assert "closing it would" not in ran.err


def test_rows_that_say_what_was_told_before_are_counted(command, books, filled, usage_row):
    filled(line(value=3), line(value=4))
    books.record(usage_row("a", value=3, occurred_at=HOUR.isoformat()))
    books.execute("UPDATE unsealed SET seal_at = now() - interval '1 hour'")
    with psycopg.connect(books.url) as tx:
        (lane,) = tx.execute("SELECT lane_id FROM lane").fetchone()
        sealing.seal(tx, [lane], timing=FAST)

    ran = command("backfill", "preview", "march")

    assert ran.code == 3
    assert "1 rows say exactly what recorded rows of other ids say" in ran.err


def test_bad_lines_are_told_with_the_reason_and_the_others_staged(command, filled):
    ran = filled(line(), "{", "[]", line(value=float("inf")), line(customer="x"), line(colour=1))

    assert ran.code == 1
    assert "1 rows staged in march" in ran.err
    assert "5 bad" in ran.err
    assert "is not JSON" in ran.out


def test_fractions_are_read_exactly(ndjson):
    with ndjson(line(value=0.1), line(value="0.3")).open("rb") as file:
        rows = list(read_file(file, name="rows.ndjson", source="s", units={}))
    assert [str(row.value) for row in rows] == ["0.1", "0.3"]


def test_a_line_without_a_time_is_no_row(ndjson):
    with ndjson(line(occurred_at=None)).open("rb") as file:
        (bad,) = read_file(file, name="rows.ndjson", source="s", units={})
    assert isinstance(bad, BadLine)


def test_a_backfill_is_opened_closed_and_listed(command, filled):
    filled(line())
    assert command("backfill", "close", "march", *REASON).code == 0
    assert command("backfill", "close", "march", *REASON).code == 0

    (listed,) = command("backfill", "list", "--json").json["backfills"]
    shown = command("backfill", "show", "march").out
    assert (listed["state"], listed["recorded"]) == ("closed", 1)
    assert "close by" in shown
    assert command("backfill", "open", "march").code == 1


def test_a_closed_backfill_takes_no_more_rows(command, filled, ndjson):
    filled(line())
    command("backfill", "close", "march", *REASON)
    ran = command("backfill", "add", "march", str(ndjson(line(value=9))))
    assert ran.code == 1
    assert "takes no more rows" in ran.err


def test_an_empty_backfill_is_not_closed_and_can_still_be_filled(command, filled, ndjson):
    filled()
    ran = command("backfill", "close", "march", *REASON)
    assert ran.code == 1
    assert "march has no rows yet: fill it with meterpost backfill add march FILE" in ran.err
    assert "1 rows staged" in command("backfill", "add", "march", str(ndjson(line()))).err
    assert command("backfill", "close", "march", *REASON).code == 0


def test_an_open_backfill_is_not_reverted(command, filled):
    filled(line())
    assert command("backfill", "revert", "march", *REASON).code == 1


@pytest.mark.parametrize("what", ["add", "preview", "close", "revert", "show"])
def test_what_is_not_there_is_said(command, ledger, ndjson, what):
    more = {"add": [str(ndjson(line()))], "close": REASON, "revert": REASON}.get(what, [])
    ran = command("backfill", what, "april", *more)
    assert ran.code == 1
    assert "there is no backfill april" in ran.err


def test_a_name_is_short_and_plain(command, ledger):
    assert command("backfill", "open", "March Outage").code == 2


def test_a_file_is_read_with_little_memory(ndjson):
    """Twenty times as many rows, and no more of it."""
    file = ndjson(*(line(row_id=f"r{number}") for number in range(1_000)))
    with file.open("rb") as lines:
        assert sum(1 for _ in read_file(lines, name=file.name, source="s", units={})) == 1_000
    with file.open("ab") as lines:
        lines.writelines(line(row_id=f"r{number}").encode() + b"\n" for number in range(1_000, 20_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with file.open("rb") as lines:
        assert sum(1 for _ in read_file(lines, name=file.name, source="s", units={})) == 20_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 4_096
