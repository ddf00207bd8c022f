"""A quarantined row read again: as it stands, or as a person corrects it, by the rules that every row is read by."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from meterpost.rows import (
    NO_UNITS,
    SUBSCRIPTION_SCHEMA,
    Refusal,
    SubscriptionRow,
    Units,
    UsageRow,
    parse_message,
    read_row,
)
from meterpost.subscription import read_new_subscription

WHOLE_MESSAGE = "message"  # the field of bytes in which no row could be told apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a person changes in a row: fields set to a text, and fields left out."""

    set_to: Mapping[str, str] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.set_to or self.left_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAgain:
    """The rows, of one kind, and the bytes as which they were read."""

    rows: Sequence[UsageRow] = ()
    signups: Sequence[SubscriptionRow] = ()
    said: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StillBad:
    """Why it is no row yet, and what to do."""

    reason: str


def read_again(
    raw: bytes,
    *,
    schema: str,
    field: str | None,
    sent_at: datetime | None,
    correction: Correction,
    now: datetime,
    units: Units = NO_UNITS,
) -> ReadAgain | StillBad:
    """Total: whatever stands in quarantine is rows by now, or still bad for a reason.

    `schema` is by whose rules it came, and is read. What must be ahead is ahead of `now`.
    """
    if field == WHOLE_MESSAGE:
        return _read_message(raw, correction=correction, now=now, units=units)
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError) as unreadable:
        return StillBad(reason=f"its bytes are not JSON ({type(unreadable).__name__}): publish the row anew")
    if correction:
        if not isinstance(said, dict):
            return StillBad(reason="it is not an object, so no field of it can be set: publish the row anew")
        said = {name: value for name, value in said.items() if name not in correction.left_out}
        said |= correction.set_to
        raw = json.dumps(said).encode()
    is_subscription = schema == SUBSCRIPTION_SCHEMA
    if is_subscription:
        row: SubscriptionRow | UsageRow | Refusal = read_new_subscription(said, now=now)
    else:
        row = read_row(said, sent_at=sent_at, now=now, units=units)
    match row:
        case Refusal():
            return StillBad(reason=f"{row.field}: {row.reason} (correct it with --set {row.field}=… or --drop)")
        case SubscriptionRow():
            return ReadAgain(signups=[row], said=raw)
        case UsageRow():
            return ReadAgain(rows=[row], said=raw)


def _read_message(raw: bytes, *, correction: Correction, now: datetime, units: Units) -> ReadAgain | StillBad:
    if correction:
        return StillBad(reason="it is a whole message of which no row can be told apart: publish its rows anew")
    parsed = parse_message(raw, now=now, units=units)
    if parsed.bad:
        return StillBad(reason=f"{parsed.bad[0].field}: {parsed.bad[0].reason}: publish its rows anew")
    return ReadAgain(rows=parsed.rows, signups=parsed.signups, said=raw)
