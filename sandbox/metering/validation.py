"""Asynchronous validation: what was accepted and is rejected all the same, told in error reports a little later.

A rejected event counts nowhere from the start; what comes later is the word of it. Each window of the clock
(`validation_window_s`) ends with one thin event a meter, and one for the events of which there is no meter. A report
counts all errors and names only a few of them, as Stripe's do: the totals have to be reconciled.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from sandbox.books import Books
from sandbox.resources.core_events import record_thin
from sandbox.rfc3339 import text_of
from sandbox.wire import JsonObject

ERROR_REPORT = "v1.billing.meter.error_report_triggered"
NO_METER_FOUND = "v1.billing.meter.no_meter_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """An accepted event that counts nowhere, and why."""

    meter: str | None
    """The id of the meter; None where there is none of this event name."""
    code: str
    message: str
    event_name: str
    customer: str
    identifier: str
    idempotency_key: str | None
    taken_as: str
    """The name under which its identifier is taken."""
    order: int


@dataclass(slots=True, kw_only=True)
class Window:
    start: int
    end: int
    rejections: list[Rejection] = field(default_factory=list)


def reject(books: Books, rejection: Rejection) -> None:
    """Has the rejection told at the end of the window that is open now."""
    width_s = max(1, books.settings.validation_window_s)
    start = books.now - books.now % width_s
    windows, name = books.shelf(Window), f"{start}+{width_s}"
    if name not in windows:
        windows[name] = Window(start=start, end=start + width_s)
        books.clock.at(start + width_s, partial(_close, books, name))
    windows[name].rejections.append(rejection)


def _close(books: Books, name: str) -> None:
    window = books.shelf(Window).pop(name, None)
    if window is None:
        return
    by_meter: defaultdict[str | None, list[Rejection]] = defaultdict(list)
    for rejection in window.rejections:
        by_meter[rejection.meter].append(rejection)
        _settle(books, rejection)
    for meter, rejections in by_meter.items():
        _report(books, meter, rejections, window=window)


def _settle(books: Books, rejection: Rejection) -> None:
    """Frees the identifier, by the account's switch and unless another event has taken it since; tells the auditor."""
    taken_by = books.identifiers.recall(rejection.taken_as, now=books.now, window_s=books.settings.identifier_window_s)
    if taken_by == rejection.order and not books.settings.rejected_identifier_is_taken:
        books.identifiers.forget(rejection.taken_as)
    books.rejected(
        whose=books.whose,
        event_name=rejection.event_name,
        identifier=rejection.identifier,
        customer=rejection.customer,
    )


def _report(books: Books, meter: str | None, rejections: list[Rejection], *, window: Window) -> None:
    related = {"id": meter, "type": "billing.meter", "url": f"/v1/billing/meters/{meter}"} if meter else None
    details = {
        "developer_message_summary": _summary(len(rejections)),
        "reason": {"error_count": len(rejections), "error_types": list(_error_types(books, rejections))},
        "validation_start": text_of(window.start),
        "validation_end": text_of(window.end),
    }
    record_thin(books, ERROR_REPORT if meter else NO_METER_FOUND, related_object=related, details=details)


def _error_types(books: Books, rejections: list[Rejection]) -> Iterable[JsonObject]:
    by_code: defaultdict[str, list[Rejection]] = defaultdict(list)
    for rejection in rejections:
        by_code[rejection.code].append(rejection)
    for code, those in by_code.items():
        samples = those[: books.settings.report_samples_max]
        yield {
            "code": code,
            "error_count": len(those),
            "sample_errors": [
                {"error_message": each.message, "request": _request(books.settings.report_request_names, each)}
                for each in samples
            ],
        }


def _request(names: str, rejection: Rejection) -> JsonObject:
    """Undocumented which of the two the `identifier` is; and one of Stripe's examples has another shape."""
    match names:
        case "idempotency_key":
            return {"identifier": rejection.idempotency_key or ""}
        case "id_and_key":
            return {"id": "", "idempotency_key": rejection.idempotency_key or ""}
        case _:
            return {"identifier": rejection.identifier}


def _summary(count: int) -> str:
    return "There is 1 invalid event" if count == 1 else f"There are {count} invalid events"
