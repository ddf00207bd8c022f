"""Stripe's error reports, read from whatever JSON came. Pure and total.

A report tells how many meter events Stripe took and then refused, in which window it validated them, and names samples
of them. Two shapes of a sample are documented: `request.identifier`, and `request.id` with `request.idempotency_key`.
Source: docs.stripe.com/billing/subscriptions/usage-based/recording-usage-api, /api/v2/core/events/event-types.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from service.event_bodies import rfc3339
from service.mirrors import Json, Unreadable, inner, word
from service.stripe_words import clean

SAMPLES_MAX = 1_000  # kept of one report; Stripe's examples have one a code, and the others are found by reading back
COUNT_MAX = 2**63 - 1  # PostgreSQL's bigint
NO_CODE = "no code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One error that the report names. `told` is an identifier or an idempotency key; None: it names nothing."""

    code: str
    message: str
    told: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReport:
    """`meter_stripe_id` None: of event names that Stripe has no meter for, or it does not say of which."""

    meter_stripe_id: str | None
    validation_start: datetime
    validation_end: datetime
    error_count: int
    codes: str
    summary: str | None
    samples: tuple[Sample, ...]


def error_report(told: Json) -> ErrorReport | Unreadable:
    """Read an error report as Stripe tells it when it is asked for the event."""
    said = inner(told, "data")
    start, end = rfc3339(inner(said, "validation_start")), rfc3339(inner(said, "validation_end"))
    types = inner(said, "reason", "error_types")
    count = _count(inner(said, "reason", "error_count"))
    if start is None or end is None or end < start:
        return Unreadable(reason="the error report has no readable window of validation")
    if count is None or not isinstance(types, list):
        return Unreadable(reason="the error report has no readable count and types of errors")
    return ErrorReport(
        meter_stripe_id=word(inner(told, "related_object", "id")),
        validation_start=start,
        validation_end=end,
        error_count=max(count, min(sum(_count(inner(one, "error_count")) or 0 for one in types), COUNT_MAX)),
        codes=clean(", ".join(sorted({_code(one) for one in types}))) or NO_CODE,
        summary=clean(_text(inner(said, "developer_message_summary"))) or None,
        samples=tuple(_samples(types))[:SAMPLES_MAX],
    )


def _samples(types: list[Json]) -> Iterator[Sample]:
    for one in types:
        errors = inner(one, "sample_errors")
        for error in errors if isinstance(errors, list) else []:
            yield Sample(code=_code(one), message=clean(_text(inner(error, "error_message"))), told=_told(error))


def _told(error: Json) -> str | None:
    """What the sample names: undocumented whether `identifier` is the meter event's or the idempotency key."""
    names = (inner(error, "request", "identifier"), inner(error, "request", "idempotency_key"))
    return next((clean(name) for name in names if isinstance(name, str) and clean(name)), None)


def _code(one: Json) -> str:
    return clean(_text(inner(one, "code"))) or NO_CODE


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Json) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= COUNT_MAX
    return value if isinstance(value, int) and is_count else None
