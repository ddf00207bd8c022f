"""What a usage row may say, and what a refusal tells the one who has to correct it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterpost.rows import Refusal, UsageRow, read_row

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOOD = {"row_id": "r1", "customer": "cus_1", "meter": "api_requests", "value": 1}


def _read(**said: Any) -> UsageRow | Refusal:
    return read_row(GOOD | said, sent_at=NOW, now=NOW)


def _accepted(**said: Any) -> UsageRow:
    row = _read(**said)
    assert isinstance(row, UsageRow), row
    return row


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (1.5, "is a float, which is not exact"),
        (True, "is a bool, which is not exact"),
        (float("nan"), "is a float"),
        ("1.5e3", "no exponent"),
        ("NaN", "not a plain decimal number"),
        ("Infinity", "not a plain decimal number"),
        ("+1", "sign +"),
        ("1,000", "separators"),
        ("", "not a plain decimal number"),
        ("1" * 100, "not a plain decimal number"),
        ("\u0661", "not a plain decimal number"),
        (Decimal("NaN"), "is not a quantity"),
        (Decimal("1E+999999"), "more than 15 significant digits"),
        ("1234567890123456", "more than 15 significant digits"),
        (10**15, "more than 15 significant digits"),
        pytest.param(10**5000, "more than 15 significant digits", id="5001 digits"),
        ("0.1234567890123", "more than 12 decimal places"),
        (None, "is null"),
        ([1], "a value of type list is not a quantity"),
    ],
)
def test_a_value_that_is_not_an_exact_quantity_is_refused_with_the_reason(value: object, reason: str) -> None:
    refusal = _read(value=value)
    assert isinstance(refusal, Refusal)
    assert refusal.field == "value"
    assert reason in refusal.reason


@pytest.mark.parametrize(
    ("value", "canonical"),
    [
        (1, "1"),
        ("1.00", "1"),
        (Decimal("1.0"), "1"),
        ("-0.250", "-0.25"),
        ("007", "7"),
        ("-0", "0"),
        ("100", "100"),
        (Decimal("1E+2"), "100"),
        ("999999999999999", "999999999999999"),
        ("123.123456789012", "123.123456789012"),
    ],
)
def test_one_quantity_has_one_spelling(value: object, canonical: str) -> None:
    assert format(_accepted(value=value).value, "f") == canonical


@pytest.mark.parametrize(
    ("field", "said", "reason"),
    [
        ("customer", "acct_1", "is not a Stripe customer id"),
        ("customer", "cus_1\n", "is not a Stripe customer id"),
        ("customer", "cus_" + "a" * 61, "is not a Stripe customer id"),
        ("customer", 7, "a value of type int"),
        ("meter", "ApiRequests", "capitals are not allowed"),
        ("meter", "", "1 to 100 of a-z"),
        ("row_id", "x" * 101, "is 101 characters long"),
        ("row_id", "", "is 0 characters long"),
        ("row_id", "a\x00b", "control or unprintable"),
        ("row_id", "\ud800", "control or unprintable"),
        ("row_id", 7, "is not a string"),
        ("source", "s" * 51, "is 51 characters long"),
        ("source", "meterpost", "is whose corrections are"),
        ("account", "acct_2", "several accounts are not supported yet"),
        ("dimensions", {"region": "eu"}, "dimensions are not supported yet"),
        ("occurred_at", "2026-03-01T12:00:00", "has no offset"),
        ("occurred_at", datetime(2026, 3, 1, 12), "has no offset"),  # noqa: DTZ001 (the mistake it is about)
        ("occurred_at", 1772366400, "is not an instant"),
        ("occurred_at", "yesterday", "is not an instant"),
        ("occurred_at", "0001-01-01T00:00:00+05:00", "is outside the calendar"),
        ("occurred_at", NOW - timedelta(days=35), "Stripe refuses usage older than 35 days"),
        ("occurred_at", NOW + timedelta(minutes=6), "more than 5 minutes ahead"),
    ],
)
def test_a_refusal_names_the_field_and_what_was_wrong(field: str, said: object, reason: str) -> None:
    refusal = _read(**{field: said})
    assert isinstance(refusal, Refusal)
    assert refusal.field == field
    assert reason in refusal.reason


def test_an_unknown_field_is_refused_with_the_nearest_known_one() -> None:
    refusal = _read(quantity_=1, custommer="cus_1")
    assert refusal == Refusal(field="custommer", reason="is not a field of a usage row; did you mean customer?")


def test_a_missing_field_is_named() -> None:
    assert read_row({"customer": "cus_1"}, sent_at=NOW, now=NOW) == Refusal(field="meter", reason="is missing")


def test_the_edges_of_the_window_are_inside() -> None:
    oldest, newest = NOW - timedelta(days=34), NOW + timedelta(minutes=5)
    assert [_accepted(occurred_at=at).occurred_at for at in (oldest, newest)] == [oldest, newest]


def test_an_instant_with_an_offset_is_kept_in_utc() -> None:
    assert _accepted(occurred_at="2026-03-01T13:30:00+05:30").occurred_at == datetime(2026, 3, 1, 8, tzinfo=UTC)


def test_two_spellings_of_the_same_letters_are_one_row_id() -> None:
    assert _accepted(row_id="cafe\u0301").row_id == _accepted(row_id="caf\u00e9").row_id


@pytest.mark.parametrize("field", ["row_id", "source"])
def test_two_long_ids_that_begin_the_same_are_both_refused_and_never_cut_to_one(field: str) -> None:
    begin = "\u03b1\u0313\u0300\u0345" * 100  # four code points that compose to one

    for end in ("X-first", "X-second" + "y" * 5_000):
        refusal = _read(**{field: begin + end})
        assert isinstance(refusal, Refusal)
        assert "characters long" in refusal.reason


def test_an_id_of_the_most_letters_is_taken_however_they_are_spelled() -> None:
    assert _accepted(row_id="\u03b1\u0313\u0300\u0345" * 100).row_id == "\u1f82" * 100


def test_a_row_without_a_time_takes_the_moment_it_was_sent() -> None:
    row = read_row(GOOD, sent_at=NOW - timedelta(hours=1), now=NOW)
    assert isinstance(row, UsageRow)
    assert (row.occurred_at, row.is_time_told) == (NOW - timedelta(hours=1), False)


def test_the_content_of_equal_quantities_is_the_same() -> None:
    assert len({_accepted(value=value).content_hash for value in (1, "1.0", "1.00", Decimal(1))}) == 1


def test_a_call_repeated_later_without_a_time_says_the_same() -> None:
    later = read_row(GOOD, sent_at=NOW + timedelta(hours=1), now=NOW + timedelta(hours=1))
    assert isinstance(later, UsageRow)
    assert later.content_hash == _accepted().content_hash


def test_a_row_without_a_unit_has_the_hash_that_it_had_before_there_were_units() -> None:
    before = "3e1e70d61cfc5a8f573dc711c314e359098f3a8ea085d4643bd2063c22cb31bb"
    assert _accepted().content_hash.hex() == before
    assert len({before, *(_accepted(unit=unit).content_hash.hex() for unit in ("second", "minute"))}) == 3


@pytest.mark.parametrize("unit", ["", "x" * 31, "a\nb", 5])
def test_a_unit_that_is_no_word_is_refused(unit: object) -> None:
    refusal = _read(unit=unit)
    assert isinstance(refusal, Refusal)
    assert refusal.field == "unit"


@pytest.mark.parametrize(
    "other", [{"customer": "cus_2"}, {"meter": "gigabytes"}, {"value": 2}, {"occurred_at": NOW}, {"value": -1}]
)
def test_other_content_has_another_hash(other: dict[str, Any]) -> None:
    assert _accepted(**other).content_hash != _accepted().content_hash


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**8), max_value=10**8))
def test_every_quantity_within_the_limits_is_kept_exactly(value: Decimal) -> None:
    assert _accepted(value=format(value, "f")).value == value
