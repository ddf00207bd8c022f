"""Whatever bytes stand in the queue become rows, or bad rows that keep their bytes."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from meterpost.rows import ParsedMessage, encode_message, parse_message
from meterpost.schema import SCHEMA, load_fields

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOOD = {"row_id": "r1", "customer": "cus_1", "meter": "api_requests", "value": "1"}

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
nearly_good_rows = st.fixed_dictionaries(
    {},
    optional={
        "row_id": st.sampled_from(["r1", "caf\u0065\u0301", "x" * 101]) | anything,
        "customer": st.sampled_from(["cus_1", "cus_"]) | anything,
        "meter": st.sampled_from(["api", "Api"]) | anything,
        "value": st.sampled_from(["1", "1.50", "1e3", 7, 10**15]) | anything,
        "occurred_at": st.sampled_from([None, "2026-03-01T12:00:00Z", "2026-03-01"]) | anything,
        "source": st.just("app") | anything,
        "unit": st.sampled_from(["second", "x" * 31]) | anything,
        "account": st.just("default") | anything,
        "dimensions": anything,
        "valeu": anything,
    },
)


def _message(*rows: object, **changed: Any) -> bytes:
    said = {"schema": "usage.1", "sent_at": NOW.isoformat(), "rows": list(rows)} | changed
    return json.dumps(said).encode()


def _answer_of(load: Any, said: object) -> object:
    try:
        return load(said)
    except ValidationError as refused:
        return refused.normalized_messages()


def test_a_message_reads_as_it_was_written() -> None:
    parsed = parse_message(_message(GOOD, GOOD | {"row_id": "r2", "occurred_at": NOW.isoformat()}), now=NOW)
    assert parse_message(encode_message(parsed.rows, sent_at=NOW), now=NOW) == parsed


def test_a_unit_crosses_the_queue() -> None:
    (row,) = parse_message(_message(GOOD | {"unit": "second"}), now=NOW).rows
    assert parse_message(encode_message([row], sent_at=NOW), now=NOW).rows[0].unit == "second"


def test_a_row_of_another_unit_than_its_meter_is_billed_in_is_bad_and_keeps_its_bytes() -> None:
    said = [GOOD | {"unit": "minute"}, GOOD | {"unit": "second", "row_id": "r2"}, GOOD | {"row_id": "r3"}]
    parsed = parse_message(_message(*said), now=NOW, units={"api_requests": "second"})
    assert [row.row_id for row in parsed.rows] == ["r2", "r3"]
    assert [(bad.row_id, bad.field, json.loads(bad.raw)) for bad in parsed.bad] == [("r1", "unit", said[0])]
    assert parsed.bad[0].reason.startswith("is minute, the rate card says second for api_requests: tell the value in")


def test_a_bad_row_keeps_its_bytes_and_spares_its_neighbours() -> None:
    raw = b'{"row_id":"r2",  "value":1.0e3,"value":1.50}'
    body = b'{"rows": [%s , %s,null],"schema":"usage.1","sent_at":"2026-03-01T12:00:00Z"}'
    parsed = parse_message(body % (json.dumps(GOOD).encode(), raw), now=NOW)
    assert [row.row_id for row in parsed.rows] == ["r1"]
    assert [(bad.raw, bad.row_id, bad.field) for bad in parsed.bad] == [
        (raw, "r2", "customer"),
        (b"null", None, "row"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"NaN",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"1" * 5000,
        b" " * (5 * 1024 * 1024),
        _message(),
        _message(*[GOOD] * 1001),
        _message(GOOD, schema="usage.2"),
        _message(GOOD, account="acct_2"),
        _message(rows="r1"),
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_no_message_is_kept_whole(body: bytes) -> None:
    parsed = parse_message(body, now=NOW)
    assert parsed.rows == ()
    assert [(bad.raw, bad.field) for bad in parsed.bad] == [(body, "message")]


def test_without_a_readable_sent_at_only_rows_that_tell_no_time_are_bad() -> None:
    rows = [GOOD, GOOD | {"row_id": "r2", "occurred_at": NOW.isoformat()}]
    parsed = parse_message(_message(*rows, sent_at="soon"), now=NOW)
    assert [row.row_id for row in parsed.rows] == ["r2"]
    assert [(bad.row_id, bad.field) for bad in parsed.bad] == [("r1", "occurred_at")]


def test_a_field_name_of_control_characters_is_shown_and_not_repeated() -> None:
    [bad] = parse_message(_message(GOOD | {"\x00\ud800\n": 1}), now=NOW).bad
    assert bad.field == "'\\x00\\ud800\\n'"


@given(st.binary(max_size=200))
def test_no_bytes_raise(body: bytes) -> None:
    assert parse_message(body, now=NOW).bad


@given(st.lists(nearly_good_rows | anything, min_size=1, max_size=4))
def test_every_row_of_a_message_is_either_a_row_or_a_bad_row_with_its_bytes(rows: list[Any]) -> None:
    parsed = parse_message(_message(*rows), now=NOW)
    assert isinstance(parsed, ParsedMessage)
    assert len(parsed.rows) + len(parsed.bad) == len(rows)
    assert all(json.dumps(json.loads(bad.raw)).encode() == bad.raw for bad in parsed.bad)


@given(nearly_good_rows | anything)
def test_the_fast_path_and_the_schema_agree_on_every_row(said: Any) -> None:
    assert _answer_of(load_fields, said) == _answer_of(SCHEMA.load, said)
