"""What a subscription row may not tell together, which instants must be ahead or past, and what it is warned of.

Each refusal names a field and the remedy; Stripe would refuse most of these too, but only after the steps before the
creation were taken. A warning refuses nothing: it says what follows from a row, before it does.

What must be ahead passes some day. A row that was told in time may be told again after that, as a file is that is
imported a second time, and is the same row still; so that an instant has passed is held against a new row alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Final

from marshmallow import ValidationError

from meterpost.amounts import refuse_fee
from meterpost.rules import AGE_MAX

if TYPE_CHECKING:
    from meterpost.subscription import SubscriptionRow

SPAN_MAX: Final = timedelta(days=5 * 366)  # ours, back and ahead: what is farther away is a mistyped year


def limit_together(row: SubscriptionRow) -> None:
    """Raises ValidationError for the first exclusion that the row breaks."""
    for refused in (_tax, _anchor, _due, _cancel, _trial, _fee, _itself):
        refused(row)


def limit_instants(row: SubscriptionRow, *, now: datetime) -> None:
    if row.backdate_start_date is not None:
        _limit_past(row.backdate_start_date, now=now)
    for name, instant in instants_ahead(row):
        if instant > now + SPAN_MAX:
            raise ValidationError(f"{instant.isoformat()} is more than five years ahead; check the year", name)
        if instant < now - SPAN_MAX:
            said = f"{instant.isoformat()} is not ahead of now, by more than five years"
            raise ValidationError(f"{said}; check the year", name)


def limit_ahead(row: SubscriptionRow, *, now: datetime) -> None:
    """Of a row that is told for the first time."""
    for name, instant in instants_ahead(row):
        if instant <= now:
            raise ValidationError(f"{instant.isoformat()} is not ahead of now; Stripe takes none that is past", name)


def instants_ahead(row: SubscriptionRow) -> tuple[tuple[str, datetime], ...]:
    """What must be ahead when the subscription is created, by field."""
    told = (("billing_cycle_anchor", row.billing_cycle_anchor), ("cancel_at", row.cancel_at))
    return tuple((name, instant) for name, instant in told if isinstance(instant, datetime))


def warnings_of(row: SubscriptionRow, now: datetime) -> tuple[str, ...]:
    """What a person should know before this row is carried out; it is carried out all the same."""
    told = (_of_passed(row, now), _of_backdating(row, now), _of_first_invoice(row), _of_sent_invoices(row))
    return (*chain.from_iterable(told), *_of_words(row))


def _tax(row: SubscriptionRow) -> None:
    if row.automatic_tax and row.tax_rates:
        raise ValidationError(
            "cannot be told with automatic_tax, which finds the rates; leave one of them out", "tax_rates"
        )


def _anchor(row: SubscriptionRow) -> None:
    if row.billing_cycle_anchor is not None and row.billing_cycle_anchor_config:
        raise ValidationError(
            "cannot be told with billing_cycle_anchor; leave one of them out", "billing_cycle_anchor_config"
        )


def _due(row: SubscriptionRow) -> None:
    is_sent = row.collection_method == "send_invoice"
    if row.days_until_due is not None and not is_sent:
        raise ValidationError(
            "goes only with collection_method send_invoice; say so, or leave it out", "days_until_due"
        )
    if is_sent and row.days_until_due is None:
        raise ValidationError(
            "is missing: invoices that are sent are due some day; give how many days", "days_until_due"
        )


def _cancel(row: SubscriptionRow) -> None:
    if row.cancel_at is not None and row.cancel_at_period_end:
        raise ValidationError("cannot be told with cancel_at; leave one of them out", "cancel_at_period_end")


def _trial(row: SubscriptionRow) -> None:
    if row.trial_end_behavior is not None and not row.trial_days:
        raise ValidationError(
            "says what happens at a trial's end, and there is none; give trial_days, or leave it out",
            "trial_end_behavior",
        )


def _fee(row: SubscriptionRow) -> None:
    if row.setup_fee is None or row.currency is None:
        return
    if refused := refuse_fee(row.setup_fee, row.currency):
        raise ValidationError(refused, "setup_fee")


def _itself(row: SubscriptionRow) -> None:
    if row.replaces == row.row_id:
        raise ValidationError("is the row itself; a corrected row has an id of its own", "replaces")


def _limit_past(instant: datetime, *, now: datetime) -> None:
    if instant >= now:
        raise ValidationError(f"{instant.isoformat()} is not past; leave it out to begin now", "backdate_start_date")
    if instant < now - SPAN_MAX:
        raise ValidationError(
            f"{instant.isoformat()} is more than five years ago; check the year", "backdate_start_date"
        )


def _of_passed(row: SubscriptionRow, now: datetime) -> Iterator[str]:
    for name, instant in instants_ahead(row):
        if instant <= now:
            yield f"{name} {instant.isoformat()} has passed: unless the row was told in time before, it is refused"


def _of_backdating(row: SubscriptionRow, now: datetime) -> Iterator[str]:
    since = row.backdate_start_date
    if since is None:
        return
    if row.billing_mode == "classic":
        yield f"what was used since {since.date()} comes with the first cycle's invoice"
    else:
        yield (
            f"under flexible billing the first invoice bills at once what was used since {since.date()}, with one line"
            " an elapsed period and no more than 250"
        )
    if since < now - AGE_MAX:
        yield "usage older than 35 days cannot be reported any more, so what was not reported by then is not billed"


def _of_first_invoice(row: SubscriptionRow) -> Iterator[str]:
    if row.setup_fee is None:
        return
    if row.trial_days:
        yield "the setup fee is invoiced at once, not at the trial's end"
    if row.collection_method != "send_invoice" and row.payment_method is None:
        yield "the setup fee is charged at once: without a payment method the subscription stays incomplete"


def _of_sent_invoices(row: SubscriptionRow) -> Iterator[str]:
    if row.collection_method != "send_invoice":
        return
    for name in ("payment_method", "payment_behavior", "off_session"):
        if getattr(row, name) is not None:
            yield f"{name} has no effect while invoices are sent: the customer pays them"


def _of_words(row: SubscriptionRow) -> Iterator[str]:
    if row.allow_duplicate:
        yield "where another subscription bills the same meter, all usage of it is billed twice"
