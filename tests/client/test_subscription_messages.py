"""Whatever is said of a subscription becomes a row that reads back as it was, or a bad row that keeps its bytes."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterpost.rows import MESSAGE_BYTES_MAX, Refusal, SubscriptionRow, encode_subscriptions, parse_message
from meterpost.subscription import FIELDS, from_said, read_subscription

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOOD = {"row_id": "s1", "customer": "cus_1", "price": "price_1"}

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
names = st.dictionaries(st.text(min_size=1, max_size=6), st.text(min_size=1, max_size=6), max_size=4)
instants = st.datetimes(NOW.replace(tzinfo=None) - timedelta(days=900), NOW.replace(tzinfo=None) + timedelta(days=900))
nearly_good_rows = st.fixed_dictionaries(
    {"row_id": st.just("s1"), "customer": st.just("cus_1"), "price": st.just("price_1")},
    optional={
        "trial_days": st.integers(-1, 731) | st.sampled_from(["14", 1.5]),
        "trial_end_behavior": st.sampled_from(["cancel", "pause", "stop"]),
        "backdate_start_date": instants.map(lambda at: at.replace(tzinfo=UTC).isoformat()),
        "billing_cycle_anchor": instants.map(lambda at: at.replace(tzinfo=UTC)),
        "billing_cycle_anchor_config": st.dictionaries(
            st.sampled_from(["day_of_month", "hour", "minute", "month", "years"]), st.integers(0, 32), max_size=4
        ),
        "setup_fee": st.decimals(allow_nan=True, places=2) | st.integers() | st.sampled_from(["49.00", 1.5]),
        "currency": st.sampled_from(["usd", "jpy", "isk", "USD"]),
        "collection_method": st.sampled_from(["send_invoice", "charge_automatically"]),
        "days_until_due": st.integers(0, 90),
        "automatic_tax": st.booleans() | st.just("true"),
        "tax_rates": st.lists(st.sampled_from(["txr_1", "txr_2", "txr_3"]), max_size=3) | st.just("txr_1;txr_2"),
        "customer_tax_ids": st.lists(st.tuples(st.sampled_from(["eu_vat", "us_ein"]), st.text(max_size=4)), max_size=3),
        "invoice_memo": st.text(max_size=20),
        "footer": st.text(max_size=20),
        "custom_fields": names,
        "metadata": names,
        "cancel_at": st.sampled_from(["min_period_end", "2026-09-01T00:00:00+02:00", "soon"]),
        "cancel_at_period_end": st.booleans(),
        "off_session": st.booleans() | st.none(),
        "allow_duplicate": st.booleans(),
        "replaces": st.text(max_size=4),
        "import_name": st.text(max_size=4),
    },
)
hostile_rows = st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5) | st.integers(), anything, max_size=6)


def _message(*rows: object, **changed: Any) -> bytes:
    said = {"schema": "subscription.1", "sent_at": NOW.isoformat(), "rows": list(rows)} | changed
    return json.dumps(said).encode()


def _shuffled(said: Any) -> Any:
    return {name: _shuffled(said[name]) for name in reversed(said)} if isinstance(said, dict) else said


@given(nearly_good_rows | hostile_rows | anything)
def test_reading_is_total_and_what_was_read_reads_back_as_it_was(said: Any) -> None:
    row = read_subscription(said, now=NOW)
    if isinstance(row, Refusal):
        assert row.field.isprintable()
        assert row.reason.isprintable()
        return
    kept = json.loads(json.dumps(row.said))
    assert from_said(kept, account="default", source="app", row_id=row.row_id, import_name=row.import_name) == row


@given(nearly_good_rows)
def test_the_hash_depends_on_no_order_of_keys(said: Any) -> None:
    row, other = (read_subscription(one, now=NOW) for one in (said, _shuffled(said)))
    if isinstance(row, SubscriptionRow) and isinstance(other, SubscriptionRow) and "custom_fields" not in said:
        assert (row, row.content_hash) == (other, other.content_hash)


@given(st.lists(nearly_good_rows, min_size=1, max_size=4))
def test_rows_cross_the_queue_as_they_were_told(said: list[Any]) -> None:
    read = (read_subscription(one, now=NOW) for one in said)
    rows = tuple(row for row in read if isinstance(row, SubscriptionRow))
    bodies = encode_subscriptions(rows, sent_at=NOW) if rows else []
    assert sum((parse_message(body, now=NOW).signups for body in bodies), ()) == rows


def test_rows_of_the_longest_fields_travel_in_as_many_messages_as_they_need() -> None:
    longest = {"metadata": {f"{n:040}": "日" * 500 for n in range(49)}, "footer": "日" * 5000}
    row = read_subscription(GOOD | longest, now=NOW)
    assert isinstance(row, SubscriptionRow)
    bodies = list(encode_subscriptions([row] * 200, sent_at=NOW))
    assert max(map(len, bodies)) <= MESSAGE_BYTES_MAX
    assert [row for body in bodies for row in parse_message(body, now=NOW).signups] == [row] * 200


def test_a_bad_row_keeps_its_bytes_and_its_schema_and_spares_its_neighbours() -> None:
    body = b'{"rows": [%s , {"row_id":"s2",  "trial_days":1.50},7],"schema":"subscription.1"}'
    parsed = parse_message(body % json.dumps(GOOD).encode(), now=NOW)
    assert [row.row_id for row in parsed.signups] == ["s1"]
    assert [(bad.raw, bad.row_id, bad.field, bad.schema) for bad in parsed.bad] == [
        (b'{"row_id":"s2",  "trial_days":1.50}', "s2", "customer", "subscription.1"),
        (b"7", None, "row", "subscription.1"),
    ]


@pytest.mark.parametrize("schema", ["subscription.2", "subscription", None, ["subscription.1"], {}])
def test_a_message_of_no_known_schema_is_kept_whole(schema: object) -> None:
    body = _message(GOOD, schema=schema)
    [bad] = parse_message(body, now=NOW).bad
    assert (bad.raw, bad.field) == (body, "message")


def test_a_row_of_usage_in_a_message_of_subscriptions_is_bad() -> None:
    [bad] = parse_message(_message({"row_id": "r1", "customer": "cus_1", "meter": "tokens", "value": 1}), now=NOW).bad
    assert (bad.field, bad.schema) == ("meter", "subscription.1")


def test_what_must_be_ahead_may_have_passed_when_a_row_is_told_again() -> None:
    anchored = GOOD | {"billing_cycle_anchor": (NOW - timedelta(hours=1)).isoformat()}
    assert len(parse_message(_message(anchored), now=NOW).signups) == 1
