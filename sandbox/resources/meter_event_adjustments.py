"""Cancelling a meter event, v1 and v2: pending at first, carried out a little later, and never to be asked about.

Only what was received in the last 24 hours can be cancelled. Stripe does not tell what becomes of the rest: it is
refused at once, or accepted without effect (`adjustment_validation`).
"""

from functools import partial

from sandbox.books import Books
from sandbox.calls.call import Call
from sandbox.errors import ApiError
from sandbox.metering.usage import Receipt
from sandbox.resources.meter_events import IDENTIFIER_MAX
from sandbox.resources.meters import EVENT_NAME_MAX, named
from sandbox.rfc3339 import text_of
from sandbox.wire import JsonObject


def create(call: Call) -> JsonObject:
    return {"object": "billing.meter_event_adjustment"} | _adjusted(call)


def create_v2(call: Call) -> JsonObject:
    adjusted = _adjusted(call)
    return {
        "id": call.books.ids.new("mtr_event_adj"),
        "object": "v2.billing.meter_event_adjustment",
        "created": text_of(call.now),
    } | adjusted


def _adjusted(call: Call) -> JsonObject:
    """Has the event cancelled, and tells what both versions tell."""
    params = call.params
    event_name = params.required("event_name", length_max=EVENT_NAME_MAX)
    params.required_choice("type", ("cancel",))
    identifier = params.group("cancel").required("identifier", length_max=IDENTIFIER_MAX)
    params.nothing_else()
    receipt = call.books.usage.receipt(identifier, event_name=event_name, now=call.now)
    wrong = _wrong_with(call, receipt, event_name=event_name, identifier=identifier)
    if wrong and call.books.settings.adjustment_validation == "at_once":
        raise ApiError(400, wrong, param="cancel[identifier]")
    if receipt and not wrong:
        _cancel(call.books, receipt)
    return {
        "cancel": {"identifier": identifier},
        "event_name": event_name,
        "livemode": call.books.livemode,
        "status": "pending" if call.books.settings.adjustment_delay_s else "complete",
        "type": "cancel",
    }


def _wrong_with(call: Call, receipt: Receipt | None, *, event_name: str, identifier: str) -> str | None:
    """Undocumented texts, all three."""
    if named(call, event_name) is None:
        return f"No meter found with event name {event_name}."
    if receipt is None:
        return f"No event with identifier {identifier} was received in the last 24 hours."
    return f"The event with identifier {identifier} has already been cancelled." if receipt.is_cancelled else None


def _cancel(books: Books, receipt: Receipt) -> None:
    receipt.is_cancelled = True
    if delay_s := books.settings.adjustment_delay_s:
        books.clock.at(books.now + delay_s, partial(_carry_out, books, receipt))
    else:
        _carry_out(books, receipt)


def _carry_out(books: Books, receipt: Receipt) -> None:
    books.usage.cancel(receipt, now=books.now)
    window_s = books.settings.identifier_window_s
    taken_by = books.identifiers.recall(receipt.taken_as, now=books.now, window_s=window_s)
    if taken_by == receipt.reading.order and not books.settings.cancelled_identifier_is_taken:
        books.identifiers.forget(receipt.taken_as)
