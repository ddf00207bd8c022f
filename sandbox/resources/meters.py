"""Meters: which events are counted, for whom, and how. Immutable but for their name and their status."""

import re
from dataclasses import dataclass, replace
from typing import Literal, cast

from sandbox.calls.call import Call
from sandbox.errors import ApiError, invalid, no_such
from sandbox.pages import newest_first, page
from sandbox.parameters.params import Params
from sandbox.resources.events import record
from sandbox.wire import JsonObject

EVENT_NAME_MAX = 100
EVENT_NAME = re.compile(r"[A-Za-z0-9_.-]+")
DISPLAY_NAME_MAX = 250
PAYLOAD_KEY_MAX = 100
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

    @property
    def status(self) -> str:
        return "active" if self.is_active else "inactive"

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
            "status": self.status,
            "status_transitions": {"deactivated_at": self.deactivated_at},
            "updated": self.updated,
            "value_settings": {"event_payload_key": self.value_key},
        }


def create(call: Call) -> JsonObject:
    meter = _from_params(call)
    call.params.nothing_else()
    _check_name_is_free(call, meter)
    call.books.shelf(Meter)[meter.id] = meter
    record(call.books, "billing.meter.created", meter.render())
    return meter.render()


def retrieve(call: Call) -> JsonObject:
    call.params.nothing_else()
    return existing(call, call.id).render()


def list_page(call: Call) -> JsonObject:
    status = call.params.choice("status", ("active", "inactive"))
    wanted = (meter for meter in newest_first(call, Meter) if status in (None, meter.status))
    return page(call, wanted, Meter.render)


def deactivate(call: Call) -> JsonObject:
    call.params.nothing_else()
    meter = existing(call, call.id)
    if not meter.is_active:
        raise ApiError(400, "This meter is already inactive.", param="id")
    return _changed(call, replace(meter, deactivated_at=call.now, updated=call.now), "billing.meter.deactivated")


def reactivate(call: Call) -> JsonObject:
    call.params.nothing_else()
    meter = existing(call, call.id)
    if meter.is_active:
        raise ApiError(400, "This meter is already active.", param="id")
    _check_name_is_free(call, meter)
    return _changed(call, replace(meter, deactivated_at=None, updated=call.now), "billing.meter.reactivated")


def update(call: Call) -> JsonObject:
    meter = existing(call, call.id)
    name = call.params.text("display_name", length_max=DISPLAY_NAME_MAX) or meter.display_name
    call.params.nothing_else()
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
    params.group("customer_mapping").choice("type", ("by_id",))
    return Meter(
        id=call.books.ids.new("mtr"),
        created=call.now,
        updated=call.now,
        livemode=call.books.livemode,
        display_name=params.required("display_name", length_max=DISPLAY_NAME_MAX),
        event_name=event_name,
        formula=cast('Literal["sum", "count", "last"]', formula),
        customer_key=_payload_key(params.group("customer_mapping")) or "stripe_customer_id",
        value_key=_payload_key(params.group("value_settings")) or "value",
        event_time_window=params.choice("event_time_window", ("day", "hour")),
        deactivated_at=None,
    )


def _payload_key(group: Params) -> str | None:
    return group.text("event_payload_key", length_max=PAYLOAD_KEY_MAX)


def _check_name_is_free(call: Call, wanted: Meter) -> None:
    """An event name is one meter's; of inactive meters it may be free again."""
    for meter in call.books.shelf(Meter).values():
        is_held = meter.is_active or not call.books.settings.inactive_event_name_is_free
        if meter.event_name == wanted.event_name and meter.id != wanted.id and is_held:
            article = "An active" if meter.is_active else "An inactive"
            message = f"{article} meter with event_name '{wanted.event_name}' already exists."
            raise ApiError(400, message, param="event_name")


def _changed(call: Call, meter: Meter, kind: str) -> JsonObject:
    call.books.shelf(Meter)[meter.id] = meter
    record(call.books, kind, meter.render())
    return meter.render()
