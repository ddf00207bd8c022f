"""Meters: which events are counted, for whom, and how. Immutable but for their name and their status."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, cast

from sandbox.call import Call
from sandbox.errors import ApiError, invalid, no_such
from sandbox.pages import newest_first, page
from sandbox.resources.events import emit
from sandbox.wire import JsonObject

EVENT_NAME_MAX = 100
EVENT_NAME = re.compile(r"[A-Za-z0-9_.-]+")
FORMULAS = ("sum", "count", "last")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    id: str
    created: int
    updated: int
    livemode: bool
    display_name: str
    event_name: str
    formula: Literal["sum", "count", "last"]
    customer_key: str
    value_key: str
    event_time_window: str | None
    deactivated_at: int | None

    @property
    def is_active(self) -> bool:
        return self.deactivated_at is None

    def render(self) -> JsonObject:
        return {
            "id": self.id,
            "object": "billing.meter",
            "created": self.created,
            "customer_mapping": {"event_payload_key": self.customer_key, "type": "by_id"},
            "default_aggregation": {"formula": self.formula},
            "display_name": self.display_name,
            "event_name": self.event_name,
            "event_time_window": self.event_time_window,
            "livemode": self.livemode,
            "status": "active" if self.is_active else "inactive",
            "status_transitions": {"deactivated_at": self.deactivated_at},
            "updated": self.updated,
            "value_settings": {"event_payload_key": self.value_key},
        }


def create(call: Call) -> JsonObject:
    meter = _from_params(call)
    if active_named(call, meter.event_name) is not None:
        raise ApiError(
            400,
            f"An active meter with event_name '{meter.event_name}' already exists.",
            param="event_name",
        )
    call.books.shelf(Meter)[meter.id] = meter
    emit(call, "billing.meter.created", meter.render())
    return meter.render()


def retrieve(call: Call) -> JsonObject:
    return existing(call, call.id).render()


def list_page(call: Call) -> JsonObject:
    return page(call, _wanted(call), Meter.render)


def deactivate(call: Call) -> JsonObject:
    meter = existing(call, call.id)
    if not meter.is_active:
        raise ApiError(400, "This meter is already inactive.", param="id")
    return _changed(call, replace(meter, deactivated_at=call.now, updated=call.now), "billing.meter.deactivated")


def reactivate(call: Call) -> JsonObject:
    meter = existing(call, call.id)
    if meter.is_active:
        raise ApiError(400, "This meter is already active.", param="id")
    return _changed(call, replace(meter, deactivated_at=None, updated=call.now), "billing.meter.reactivated")


def update(call: Call) -> JsonObject:
    meter = existing(call, call.id)
    name = call.params.text("display_name") or meter.display_name
    return _changed(call, replace(meter, display_name=name, updated=call.now), "billing.meter.updated")


def existing(call: Call, identity: str, *, param: str = "id") -> Meter:
    meter = call.books.shelf(Meter).get(identity)
    if meter is None:
        raise no_such("meter", identity, param=param)
    return meter


def active_named(call: Call, event_name: str) -> Meter | None:
    """The active meter of this event name. Accounts have few meters, so there is no index to keep right."""
    for meter in call.books.shelf(Meter).values():
        if meter.event_name == event_name and meter.is_active:
            return meter
    return None


def named(call: Call, event_name: str) -> Meter | None:
    """The meter of this event name: the active one, else the youngest of those that were."""
    inactive = None
    for meter in call.books.shelf(Meter).values():
        if meter.event_name == event_name:
            if meter.is_active:
                return meter
            inactive = meter
    return inactive


def _from_params(call: Call) -> Meter:
    params = call.params
    event_name = params.required("event_name", length_max=EVENT_NAME_MAX)
    if not EVENT_NAME.fullmatch(event_name):
        raise invalid(f"Invalid event_name: {event_name}", param="event_name")
    formula = params.group("default_aggregation").required_choice("formula", FORMULAS)
    return Meter(
        id=call.books.ids.new("mtr"),
        created=call.now,
        updated=call.now,
        livemode=call.books.livemode,
        display_name=params.required("display_name"),
        event_name=event_name,
        formula=cast('Literal["sum", "count", "last"]', formula),
        customer_key=params.group("customer_mapping").text("event_payload_key") or "stripe_customer_id",
        value_key=params.group("value_settings").text("event_payload_key") or "value",
        event_time_window=params.choice("event_time_window", ("day", "hour")),
        deactivated_at=None,
    )


def _changed(call: Call, meter: Meter, kind: str) -> JsonObject:
    call.books.shelf(Meter)[meter.id] = meter
    emit(call, kind, meter.render())
    return meter.render()


def _wanted(call: Call) -> Iterable[Meter]:
    status = call.params.choice("status", ("active", "inactive"))
    for meter in newest_first(call, Meter):
        if status is None or (status == "active") == meter.is_active:
            yield meter
