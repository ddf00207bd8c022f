"""The one definition of a usage row: a schema for what is said, a frozen dataclass for what is known.

The client reads every row through it at the call, and the service reads it again from the queue, because anyone
may write to a queue.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from marshmallow import RAISE, Schema, ValidationError

from meterpost import rules
from meterpost.reading import Refusal, Ruled, explain

Units = Mapping[str, str]
NO_UNITS: Final[Units] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """What a producer says a customer used.

    `row_id` is unique within `account` and `source`: told twice, it is billed once. `value` has at most 15
    significant digits and 12 decimal places. `occurred_at` is in UTC; where the producer told none
    (`is_time_told` is false) it is the moment the message was made. `unit` is what the value counts, if told.
    """

    account: str
    source: str
    row_id: str
    customer: str
    meter: str
    value: Decimal
    occurred_at: datetime
    is_time_told: bool
    unit: str | None = None

    @property
    def content_hash(self) -> bytes:
        """sha256 over what was said; two rows of one id and different hashes are a conflict.

        A defaulted time is not part of what was said: a call repeated with its row id an hour later says the
        same. A unit that is told is part of it, since 3 minutes are not 3 seconds; one that is not leaves the hash as
        it is. Ids of rows from files are made of the hash without a unit, so changing it would bill every file again.
        """
        value = rules.canonical_value(format(self.value, "f"))
        told = self.occurred_at.isoformat() if self.is_time_told else ""
        unit = "" if self.unit is None else f"\n{self.unit}"
        # None of the parts can hold a line break, so no two rows share a text.
        return hashlib.sha256(f"{self.customer}\n{self.meter}\n{value}\n{told}{unit}".encode()).digest()


class UsageRowSchema(Schema):
    """What a usage row may say. Fields are judged, and refusals named, in this order."""

    class Meta:  # noqa: D106 (marshmallow's place for options)
        unknown = RAISE

    customer = Ruled(rules.read_customer, required=True)
    meter = Ruled(rules.read_meter, required=True)
    value = Ruled(rules.read_value, required=True)
    occurred_at = Ruled(rules.read_occurred_at, load_default=None, allow_none=True)
    row_id = Ruled(rules.read_row_id, required=True)
    source = Ruled(rules.read_source, load_default="app")
    unit = Ruled(rules.read_unit, load_default=None, allow_none=True)
    account = Ruled(rules.read_account, load_default="default")
    dimensions = Ruled(rules.refuse_dimensions, load_only=True)


SCHEMA: Final = UsageRowSchema()  # one object: making a schema costs more than reading a row
_FIELDS: Final = {name: field for name, field in SCHEMA.fields.items() if isinstance(field, Ruled)}
_KNOWN: Final = _FIELDS.keys() - {"dimensions"}
_RULES: Final = tuple((name, field.rule) for name, field in _FIELDS.items() if name in _KNOWN)
_DEFAULTS: Final = {name: _FIELDS[name].load_default for name in _KNOWN if not _FIELDS[name].required}


def read_row(said: object, *, sent_at: datetime | None, now: datetime, units: Units = NO_UNITS) -> UsageRow | Refusal:
    """The row that was said, or why it is none. `sent_at` stands in where the row tells no time.

    `units` are those in which meters are billed, by event name; of others nothing is checked.
    """
    try:
        read = load_fields(said)
        if read["unit"] is not None:  # one that tells none is taken at its word
            rules.limit_unit(read["unit"], meter=read["meter"], wanted=units.get(read["meter"]))
        return _place_in_time(read, sent_at=sent_at, now=now)
    except ValidationError as refused:
        return _explain(refused)


def load_fields(said: object) -> dict[str, Any]:
    """What `SCHEMA.load` answers, by the schema's own rules at a third of the cost; it raises what that raises.

    Most rows are good, so they are read rule by rule; whatever is not at once good is left to the schema.
    """
    if not isinstance(said, dict) or not said.keys() <= _KNOWN:
        return _load_slowly(said)
    try:
        return {name: rule(said[name]) if name in said else _DEFAULTS[name] for name, rule in _RULES}
    except (ValidationError, KeyError):  # a bad field, a null, or a required field that is missing
        return _load_slowly(said)


def _load_slowly(said: object) -> dict[str, Any]:
    read = SCHEMA.load(said)  # type: ignore[arg-type]  # anything may come; the schema says what is wrong
    return dict(read)


def _place_in_time(read: Mapping[str, Any], *, sent_at: datetime | None, now: datetime) -> UsageRow:
    told = read["occurred_at"]
    occurred_at = told or sent_at
    if occurred_at is None:
        raise ValidationError("is missing here, and the message has no readable sent_at", "occurred_at")
    rules.limit_age(occurred_at, now=now)
    return UsageRow(
        account=read["account"],
        source=read["source"],
        row_id=read["row_id"],
        customer=read["customer"],
        meter=read["meter"],
        value=read["value"],
        occurred_at=occurred_at,
        is_time_told=told is not None,
        unit=read["unit"],
    )


def _explain(refused: ValidationError) -> Refusal:
    return explain(refused, fields=list(SCHEMA.fields), known=_KNOWN, row="a usage row")
