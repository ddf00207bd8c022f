"""Messages of rows as they stand in the queue, written by the client and read by the service.

A message is JSON: `{"schema": "usage.1", "sent_at": …, "rows": [{…}, …]}` with 1 to 1,000 rows of one kind, usage
rows or, of `subscription.1`, subscription rows. A usage row that tells no `occurred_at` takes `sent_at`. Reading is
total: whatever bytes stand in the queue become rows, or bad rows with their reason and their raw bytes. Nothing raises,
because an exception here would stop every row behind it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from marshmallow import ValidationError

from meterpost import rules
from meterpost.raw_rows import slice_rows
from meterpost.reading import Refusal
from meterpost.schema import NO_UNITS, Units, UsageRow, UsageRowSchema, read_row
from meterpost.subscription import SCHEMA_NAME as SUBSCRIPTION_SCHEMA
from meterpost.subscription import SubscriptionRow, read_subscription

__all__ = [
    "MESSAGE_BYTES_MAX",
    "MESSAGE_ROWS_MAX",
    "NO_UNITS",
    "SUBSCRIPTION_SCHEMA",
    "BadRow",
    "ParsedMessage",
    "Refusal",
    "SubscriptionRow",
    "Units",
    "UsageRow",
    "UsageRowSchema",
    "encode_message",
    "encode_subscriptions",
    "parse_message",
    "read_row",
]

USAGE_SCHEMA: Final = "usage.1"
MESSAGE_ROWS_MAX: Final = 1_000  # what one transaction of the ledger takes with ease
MESSAGE_BYTES_MAX: Final = 4 * 1024 * 1024  # 1,000 rows of the longest fields fit; more is no message of ours
_SCHEMAS: Final = (USAGE_SCHEMA, SUBSCRIPTION_SCHEMA)
_KEYS: Final = frozenset({"schema", "sent_at", "rows"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """What stood in the queue and is not a row: for a person, with all that was said kept as bytes.

    `field` is `row` for a row as a whole and `message` for a message of which no row can be told apart. `sent_at` is
    its message's, None where that is not readable: the moment of a row that tells none of its own. `schema` is by whose
    rules it was read, and is read again.
    """

    raw: bytes
    row_id: str | None
    field: str
    reason: str
    sent_at: datetime | None
    schema: str = USAGE_SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedMessage:
    rows: tuple[UsageRow, ...]
    bad: tuple[BadRow, ...]
    signups: tuple[SubscriptionRow, ...] = ()
    schema: str = USAGE_SCHEMA


def encode_message(rows: Sequence[UsageRow], *, sent_at: datetime) -> bytes:
    assert 1 <= len(rows) <= MESSAGE_ROWS_MAX, "a message carries 1 to 1,000 rows"
    return _encode({"schema": USAGE_SCHEMA, "sent_at": sent_at.isoformat(), "rows": [_say(row) for row in rows]})


def encode_subscriptions(rows: Sequence[SubscriptionRow], *, sent_at: datetime) -> Iterator[bytes]:
    """As many messages as they need: rows with all the metadata that Stripe takes fill one before they are 1,000."""
    body = _encode(
        {
            "schema": SUBSCRIPTION_SCHEMA,
            "sent_at": sent_at.isoformat(),
            "rows": [_say_subscription(row) for row in rows],
        }
    )
    if len(body) <= MESSAGE_BYTES_MAX and len(rows) <= MESSAGE_ROWS_MAX:
        yield body
        return
    assert len(rows) > 1, "a row of the longest fields fits into a message"
    half = len(rows) // 2
    yield from encode_subscriptions(rows[:half], sent_at=sent_at)
    yield from encode_subscriptions(rows[half:], sent_at=sent_at)


def parse_message(body: bytes, *, now: datetime, units: Units = NO_UNITS) -> ParsedMessage:
    """The rows and the bad rows of a message. Never raises; every bad row keeps its raw bytes.

    `units` are those in which meters are billed: a row that tells another one is bad.
    """
    try:
        schema, said, sent_at, text = _open_message(body)
    except ValidationError as refused:
        reason = "; ".join(map(str, refused.messages))
        whole = BadRow(raw=body, row_id=None, field="message", reason=reason, sent_at=None)
        return ParsedMessage(rows=(), bad=(whole,))
    if schema == SUBSCRIPTION_SCHEMA:
        return _parse_subscriptions(said, sent_at=sent_at, now=now, text=text)
    read = [read_row(row, sent_at=sent_at, now=now, units=units) for row in said]
    rows = tuple(row for row in read if isinstance(row, UsageRow))
    bad = _keep_bad(said, read, text=text, sent_at=sent_at) if len(rows) < len(read) else ()
    return ParsedMessage(rows=rows, bad=bad)


def _parse_subscriptions(
    said: Sequence[object], *, sent_at: datetime | None, now: datetime, text: str
) -> ParsedMessage:
    read = [read_subscription(row, now=now) for row in said]
    signups = tuple(row for row in read if isinstance(row, SubscriptionRow))
    bad = _keep_bad(said, read, text=text, sent_at=sent_at) if len(signups) < len(read) else ()
    bad = tuple(replace(row, schema=SUBSCRIPTION_SCHEMA) for row in bad)
    return ParsedMessage(rows=(), signups=signups, bad=bad, schema=SUBSCRIPTION_SCHEMA)


def _say(row: UsageRow) -> dict[str, str]:
    said = {
        "row_id": row.row_id,
        "source": row.source,
        "customer": row.customer,
        "meter": row.meter,
        "value": format(row.value, "f"),
    }
    if row.unit is not None:
        said["unit"] = row.unit
    return said | {"occurred_at": row.occurred_at.isoformat()} if row.is_time_told else said


def _say_subscription(row: SubscriptionRow) -> dict[str, Any]:
    name = {"row_id": row.row_id, "source": row.source}
    return name | ({} if row.import_name is None else {"import_name": row.import_name}) | row.said


def _encode(message: Mapping[str, object]) -> bytes:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()


def _open_message(body: bytes) -> tuple[str, list[object], datetime | None, str]:
    if len(body) > MESSAGE_BYTES_MAX:
        raise ValidationError(f"is {len(body)} bytes long; a message has at most {MESSAGE_BYTES_MAX}")
    try:
        text = body.decode()
        message = json.loads(text)
    except (ValueError, RecursionError) as unreadable:
        raise ValidationError(f"is not JSON: {type(unreadable).__name__}") from None
    schema = message.get("schema") if isinstance(message, dict) else None
    if schema not in _SCHEMAS or not message.keys() <= _KEYS:
        raise ValidationError(f"is not a {' or '.join(_SCHEMAS)} message with exactly schema, sent_at and rows")
    rows = message.get("rows")
    if not isinstance(rows, list) or not 1 <= len(rows) <= MESSAGE_ROWS_MAX:
        raise ValidationError(f"does not carry a list of 1 to {MESSAGE_ROWS_MAX:,} rows")
    return schema, rows, _read_sent_at(message.get("sent_at")), text


def _read_sent_at(said: object) -> datetime | None:
    try:
        return rules.read_occurred_at(said)
    except ValidationError:
        return None  # only rows that tell no time of their own need it, and they are refused for it


def _keep_bad(
    said: Sequence[object], read: Sequence[object], *, text: str, sent_at: datetime | None
) -> tuple[BadRow, ...]:
    return tuple(
        BadRow(raw=raw, row_id=_readable_id(row), field=refusal.field, reason=refusal.reason, sent_at=sent_at)
        for row, refusal, raw in zip(said, read, slice_rows(text), strict=True)
        if isinstance(refusal, Refusal)
    )


def _readable_id(said: object) -> str | None:
    try:
        return rules.read_row_id(said["row_id"]) if isinstance(said, dict) and "row_id" in said else None
    except ValidationError:
        return None
