"""What a subscription row may say, and what a refusal tells the one who has to correct it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from meterpost.rows import Refusal, SubscriptionRow
from meterpost.subscription import read_new_subscription, read_subscription
from meterpost.subscription_limits import warnings_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOOD = {"row_id": "s1", "customer": "cus_1", "price": "price_1"}
AHEAD = "2026-04-01T00:00:00Z"


def _read(**said: Any) -> SubscriptionRow | Refusal:
    return read_subscription(GOOD | said, now=NOW)


def _accepted(**said: Any) -> SubscriptionRow:
    row = _read(**said)
    assert isinstance(row, SubscriptionRow), row
    return row


def _refused(**said: Any) -> tuple[str, str]:
    refusal = _read(**said)
    assert isinstance(refusal, Refusal), refusal
    return refusal.field, refusal.reason


@pytest.mark.parametrize(
    ("said", "field", "reason"),
    [
        ({"automatic_tax": True, "tax_rates": ["txr_1"]}, "tax_rates", "cannot be told with automatic_tax"),
        (
            {"billing_cycle_anchor": AHEAD, "billing_cycle_anchor_config": {"day_of_month": 1}},
            "billing_cycle_anchor_config",
            "cannot be told with billing_cycle_anchor",
        ),
        ({"days_until_due": 30}, "days_until_due", "goes only with collection_method send_invoice"),
        (
            {"days_until_due": 30, "collection_method": "charge_automatically"},
            "days_until_due",
            "goes only with collection_method send_invoice",
        ),
        ({"collection_method": "send_invoice"}, "days_until_due", "is missing"),
        ({"cancel_at": AHEAD, "cancel_at_period_end": True}, "cancel_at_period_end", "cannot be told with cancel_at"),
        ({"trial_end_behavior": "cancel"}, "trial_end_behavior", "give trial_days"),
        ({"trial_end_behavior": "cancel", "trial_days": 0}, "trial_end_behavior", "give trial_days"),
        ({"setup_fee": "49.50", "currency": "jpy"}, "setup_fee", "no decimal places"),
        ({"setup_fee": "49.505", "currency": "usd"}, "setup_fee", "at most 2 decimal places"),
        ({"setup_fee": "1.234", "currency": "kwd"}, "setup_fee", "at most 2 decimal places"),
        ({"setup_fee": "1.5", "currency": "isk"}, "setup_fee", "no decimal places"),
        ({"setup_fee": "10000000000", "currency": "usd"}, "setup_fee", "12 digits in its smallest unit"),
        ({"setup_fee": "1000000000.5", "currency": "kwd"}, "setup_fee", "12 digits in its smallest unit"),
        ({"replaces": "s1"}, "replaces", "an id of its own"),
    ],
)
def test_what_excludes_each_other_is_refused_by_field_with_the_remedy(said: Any, field: str, reason: str) -> None:
    refused = _refused(**said)
    assert refused[0] == field
    assert reason in refused[1]


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("customer", "acct_1", "not a Stripe customer id"),
        ("customer", None, "is missing"),
        ("price", "prod_1", "give one like price_"),
        ("trial_days", 731, "give 0 to 730"),
        ("trial_days", -1, "give 0 to 730"),
        ("trial_days", True, "type bool is not a whole number"),
        ("trial_days", 14.0, "type float is not a whole number"),
        ("trial_days", "1e1", "not a whole number"),
        ("trial_days", "9" * 5000, "not a whole number"),
        ("trial_end_behavior", "explode", "none of cancel, create_invoice, pause"),
        ("backdate_start_date", "2026-03-01", "has no offset"),
        ("backdate_start_date", "2026-03-02T00:00:00Z", "is not past"),
        ("backdate_start_date", "2016-03-02T00:00:00Z", "check the year"),
        ("billing_cycle_anchor", "2016-02-01T00:00:00Z", "check the year"),
        ("billing_cycle_anchor", "2062-02-01T00:00:00Z", "check the year"),
        ("billing_cycle_anchor", 1_775_000_000, "not an instant"),
        ("billing_cycle_anchor_config", {"hour": 1}, "no day_of_month"),
        ("billing_cycle_anchor_config", {"dayofmonth": 1}, "did you mean day_of_month?"),
        ("billing_cycle_anchor_config", {"day_of_month": 32}, "day_of_month is out of bounds; give 1 to 31"),
        ("billing_cycle_anchor_config", {"day_of_month": True}, "type bool"),
        ("billing_cycle_anchor_config", "day_of_month=1; day_of_month=2", "twice"),
        ("setup_fee", 49.5, "is a float, which is not exact"),
        ("setup_fee", True, "type bool is not an amount"),
        ("setup_fee", 0, "not more than 0"),
        ("setup_fee", "-1", "not more than 0"),
        ("setup_fee", "0.0001", "decimal places"),
        ("setup_fee", "$49", "is not an amount; give at most 12 digits with at most one point, such as '49.00'"),
        ("setup_fee", 49.0, "is a float, which is not exact; give at most 12 digits"),
        ("setup_fee", 10**12, "more than 12 digits"),
        ("setup_fee", Decimal("1E+999999"), "give at most 12 digits"),
        ("currency", "USD", "three small letters"),
        ("payment_method", "cus_1", "give one like pm_"),
        ("days_until_due", 10_000, "give 0 to 1825"),
        ("coupon", "a\x00b", "control"),
        ("automatic_tax", 1, "neither true nor false"),
        ("automatic_tax", "yes", "neither true nor false"),
        ("tax_rates", ["txr_1", "txr_1"], "twice"),
        ("tax_rates", [f"txr_{n}" for n in range(11)], "has 11 members"),
        ("tax_rates", 5, "not a list"),
        ("account_tax_ids", ["tax_1"], "give one like txi_"),
        ("customer_tax_ids", "DE123", 'without ":"'),
        ("customer_tax_ids", [["EU VAT", "DE123"]], "not a type of tax ids"),
        ("customer_tax_ids", [["eu_vat"]], "no pair of type and value"),
        ("invoice_memo", "x" * 1501, "1501 characters"),
        ("footer", "x" * 5001, "5001 characters"),
        ("footer", "\x1b[31mred", "control character, '\\x1b'"),
        ("footer", "\ud800", "control character"),
        ("footer", " \n ", "or empty"),
        ("custom_fields", {str(n): "x" for n in range(5)}, "give 1 to 4"),
        ("custom_fields", {"x" * 41: "y"}, "1 to 40"),
        ("custom_fields", {"PO": "y" * 141}, "'PO': is 141 characters long"),
        ("custom_fields", {"x": "y" * 1_000_000}, "1 to 140"),
        ("custom_fields", [["x", "y"], ["x", "z"]], "twice"),
        ("metadata", {str(n): "x" for n in range(50)}, "give 1 to 49"),
        ("metadata", {"a[b]": "x"}, "no brackets"),
        ("metadata", {"x" * 41: "y"}, "1 to 40"),
        ("metadata", {"plan": "y" * 501}, "'plan': is 501 characters"),
        ("metadata", {"plan": 5}, "'plan': a value of type int is not a text"),
        ("metadata", {"x": ""}, "leave it out"),
        ("metadata", {"x": 1}, "not a text"),
        ("metadata", {"meterpost_row": "x"}, "is ours"),
        ("metadata", "{" * 50_000, "begins as JSON and is none"),
        ("metadata", "a=" + "x" * 70_000, "at most 65536"),
        ("cancel_at", "whenever", "or one of min_period_end"),
        ("cancel_at", "2016-02-01T00:00:00Z", "is not ahead of now, by more than five years; check the year"),
        ("billing_cycle_anchor", "2096-02-01T00:00:00Z", "is more than five years ahead; check the year"),
        ("billing_mode", "stiff", "none of classic, flexible"),
        ("payment_behavior", "hope", "none of allow_incomplete"),
        ("payment_behavior", "pending_if_incomplete", "write default_incomplete"),
        ("off_session", "perhaps", "neither true nor false"),
        ("replaces", "x" * 101, "101 characters"),
        ("import_name", "a\nb", "control"),
        ("source", "meterpost", "is whose corrections are"),
        ("trail_days", 14, "did you mean trial_days?"),
        ("quantity", 1, "is not a field of a subscription row"),
    ],
    ids=lambda said: repr(said)[:24],
)
def test_a_bad_field_is_refused_with_the_reason(field: str, value: object, reason: str) -> None:
    refused = _refused(**{field: value})
    assert refused[0] == field
    assert reason in refused[1]


@pytest.mark.parametrize("field", ["billing_cycle_anchor", "cancel_at"])
def test_what_must_be_ahead_is_asked_of_a_row_that_is_new(field: str) -> None:
    passed = GOOD | {field: NOW.isoformat()}
    refused = read_new_subscription(passed, now=NOW)
    assert isinstance(refused, Refusal)
    assert (refused.field, refused.reason.partition(";")[0]) == (field, f"{NOW.isoformat()} is not ahead of now")
    assert isinstance(read_subscription(passed, now=NOW), SubscriptionRow)
    assert read_new_subscription(GOOD | {field: AHEAD}, now=NOW) == _accepted(**{field: AHEAD})


def test_a_million_metadata_keys_are_counted_and_not_read() -> None:
    assert _refused(metadata=dict.fromkeys(range(10**6)))[1].startswith("has 1000000 members")


@pytest.mark.parametrize(
    ("field", "told", "text"),
    [
        ("trial_days", 14, "14"),
        ("setup_fee", Decimal("49.00"), "49"),
        ("automatic_tax", True, "TRUE"),
        ("off_session", False, "false"),
        ("tax_rates", ["txr_1", "txr_2"], "txr_1, txr_2"),
        ("tax_rates", ("txr_1",), '["txr_1"]'),
        ("customer_tax_ids", [("eu_vat", "DE1"), ("us_ein", "12:3")], "eu_vat:DE1; us_ein:12:3"),
        ("customer_tax_ids", [{"type": "eu_vat", "value": "DE1"}], "eu_vat: DE1;"),
        ("custom_fields", {"PO": "1=2", "Team": "blue"}, "PO=1=2; Team=blue"),
        ("custom_fields", [{"name": "PO", "value": "1;2"}], '{"PO": "1;2"}'),
        ("metadata", {"b": "1", "a": "2"}, "a=2; b=1"),
        ("billing_cycle_anchor_config", {"hour": 3, "day_of_month": 1, "month": None}, "day_of_month=1;hour=3"),
        ("backdate_start_date", datetime(2026, 2, 1, 12, 0, 0, 999_999, UTC), "2026-02-01T13:00:00+01:00"),
        ("cancel_at", "min_period_end", "min_period_end"),
        ("coupon", "cafe\u0301", "caf\u00e9"),
        ("footer", "one\r\ntwo", "one\ntwo"),
    ],
)
def test_a_cell_of_a_file_says_the_same_as_the_value_in_python(field: str, told: object, text: str) -> None:
    row = _accepted(**{field: told})
    assert row == _accepted(**{field: text})
    assert row.said.keys() == {"customer", "price", field}


@pytest.mark.parametrize("nothing", [None, "", [], {}, ()])
def test_what_is_empty_is_left_out(nothing: object) -> None:
    assert _accepted(metadata=nothing, tax_rates=nothing, coupon=nothing, automatic_tax=nothing) == _accepted()


def test_the_most_that_stripe_takes_is_taken() -> None:
    row = _accepted(
        metadata={f"{n:040}": "x" * 500 for n in range(49)},
        custom_fields={f"{n:040}": "x" * 140 for n in range(4)},
        invoice_memo="x" * 1500,
        footer="日" * 5000,
        trial_days=730,
        setup_fee="9999999999.99",
        currency="usd",
    )
    assert len(row.metadata) == 49


def test_the_identifier_is_made_of_the_name_alone_and_the_hash_of_the_content_alone() -> None:
    first, other = _accepted(import_name="march.csv"), _accepted(trial_days=1)
    assert first.identifier == other.identifier
    assert (len(first.identifier), first.identifier[:4]) == (44, "mps-")
    assert first.identifier != _accepted(source="web").identifier
    assert first.content_hash == _accepted(import_name="april.csv", row_id="s2").content_hash != other.content_hash


def test_a_trial_of_no_days_is_not_the_same_as_none_told() -> None:
    assert _accepted(trial_days=0).said["trial_days"] == 0
    assert _accepted(trial_days=0).content_hash != _accepted().content_hash


@pytest.mark.parametrize(
    ("said", "warning"),
    [
        ({"backdate_start_date": "2026-02-20T00:00:00Z"}, "bills at once what was used since 2026-02-20"),
        ({"backdate_start_date": "2026-02-20T00:00:00Z", "billing_mode": "classic"}, "the first cycle's invoice"),
        ({"backdate_start_date": "2026-01-01T00:00:00Z"}, "older than 35 days cannot be reported"),
        ({"setup_fee": 5, "trial_days": 7}, "not at the trial's end"),
        ({"setup_fee": 5}, "stays incomplete"),
        (
            {"collection_method": "send_invoice", "days_until_due": 1, "payment_method": "pm_1"},
            "payment_method has no effect while invoices are sent",
        ),
        ({"billing_cycle_anchor": "2026-02-01T00:00:00Z"}, "has passed"),
        ({"allow_duplicate": True}, "billed twice"),
    ],
)
def test_what_follows_from_a_row_is_said_before_it_does(said: Any, warning: str) -> None:
    assert any(warning in one for one in warnings_of(_accepted(**said), NOW))


def test_an_ordinary_row_warns_of_nothing() -> None:
    ahead = NOW + timedelta(days=3)
    assert warnings_of(_accepted(trial_days=14, coupon="WELCOME", billing_cycle_anchor=ahead), NOW) == ()
