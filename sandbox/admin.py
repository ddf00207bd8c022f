"""The sandbox's own controls under `/_sandbox`, each with a sentence that `GET /_sandbox` tells.

JSON in and out, and no key: whoever can reach the sandbox may turn its knobs.
"""

import json
from collections.abc import Awaitable, Callable
from inspect import getdoc
from typing import NamedTuple, TypeAlias

from sandbox.asked import Asked, ControlError
from sandbox.audit import Audit
from sandbox.clock import Clock
from sandbox.controls import AccountControls, AuditControls, ClockControls, EventControls, FaultControls
from sandbox.controls_webhooks import WebhookControls
from sandbox.courier import Courier
from sandbox.fault_kinds import KINDS
from sandbox.faults import Faults
from sandbox.keys import Keys
from sandbox.timekeeper import Timekeeper
from sandbox.wire import JsonObject

ROOT = "/_sandbox"
Action: TypeAlias = Callable[[Asked], Awaitable[JsonObject]]


class UnknownControlError(LookupError):
    """No control of this method and path."""


class Control(NamedTuple):
    says: str
    action: Action


Controls: TypeAlias = dict[tuple[str, str], Control]
"""By method and by what stands behind the root."""


class Admin:
    def __init__(
        self, *, clock: Clock, timekeeper: Timekeeper, keys: Keys, faults: Faults, audit: Audit, courier: Courier
    ) -> None:
        self._controls: Controls = {
            ("GET", ""): Control("Lists the controls and the kinds of faults.", self._list),
            **_of_clock(ClockControls(clock=clock, timekeeper=timekeeper)),
            **_of_accounts(AccountControls(keys=keys, faults=faults, audit=audit)),
            **_of_faults(FaultControls(faults=faults)),
            **_of_events(EventControls(keys=keys, courier=courier)),
            **_of_audit(AuditControls(audit=audit)),
            **_of_webhooks(WebhookControls(keys=keys, courier=courier)),
        }

    async def respond(self, method: str, path: str, *, query: dict[str, str], body: bytes) -> JsonObject:
        """ControlError or UnknownControlError for what cannot be understood."""
        control = self._controls.get((method, path.removeprefix(ROOT).strip("/")))
        if control is None:
            raise UnknownControlError(f"{method} {path}; GET {ROOT} lists them all")
        return await control.action(Asked({**query, **_fields(body)}))

    async def _list(self, asked: Asked) -> JsonObject:
        asked.nothing_else()
        return {
            "controls": [
                {"method": method, "path": f"{ROOT}/{name}".rstrip("/"), "says": control.says}
                for (method, name), control in self._controls.items()
            ],
            "faults": [{"kind": name, "says": kind.says, "fields": list(kind.fields)} for name, kind in KINDS.items()],
        }


def _of_clock(clock: ClockControls) -> Controls:
    return {
        ("GET", "clock"): Control("Tells the time, the speed and what falls due next.", clock.show),
        ("POST", "clock"): Control(
            "Moves the clock: `advance` seconds, `to` an instant or `offset` from the wall; `speed`, `frozen`.",
            clock.change,
        ),
    }


def _of_accounts(accounts: AccountControls) -> Controls:
    return {
        ("POST", "keys"): Control("Makes `key` a key of `account`, `livemode` or not.", accounts.add_key),
        ("DELETE", "keys"): Control("Revokes `key`: from now on it is answered as expired.", accounts.revoke_key),
        ("GET", "settings"): Control("Tells the switches, of `account` or for all.", accounts.show_settings),
        ("POST", "settings"): Control("Sets switches by name, of `account` or for all.", accounts.change_settings),
        ("POST", "reset"): Control("Forgets everything of `account` but its keys.", accounts.reset),
    }


def _of_faults(faults: FaultControls) -> Controls:
    return {
        ("GET", "faults"): Control("Lists the faults, with how often each struck.", faults.show),
        ("POST", "faults"): Control(
            "Adds a fault of `kind`; by `path`, `method`, `account`, `share`, `seed`, `times`.", faults.add
        ),
        ("DELETE", "faults"): Control("Removes the fault of `id`, those of `account`, or all.", faults.remove),
    }


def _of_events(events: EventControls) -> Controls:
    return {
        ("POST", "events"): Control("Makes an event of `type` about `object` happen to `account`.", events.trigger),
        ("POST", "deliver"): Control("Delivers `event` again, `times` times at once.", events.deliver),
        ("GET", "deliveries"): Control("Lists the attempts to deliver events, of `account` or all.", events.deliveries),
    }


def _of_audit(audit: AuditControls) -> Controls:
    return {
        ("GET", "audit"): Control("The auditor's sums, of `account` or all.", audit.report),
        ("GET", "audit/calls"): Control(
            "The calls, oldest first, behind the number `after`; by `account`, `path`, `customer`, `event_name`, "
            "`identifier`, `fate`, `since`.",
            audit.calls,
        ),
        ("GET", "audit/minutes"): Control(
            "What was applied, by account, customer, event name and minute.", audit.minutes
        ),
    }


def _of_webhooks(webhooks: WebhookControls) -> Controls:
    says = {
        ("GET", "delivery_faults"): "Lists the faults of deliveries.",
        ("POST", "delivery_faults"): "Adds a fault of deliveries; by `kind`, `type`, `account`, `share`, `times`.",
    }
    return {
        place: Control(says.get(place) or (getdoc(action) or "").partition("\n")[0], _unread(action))
        for place, action in webhooks.controls().items()
    }


def _unread(action: Callable[[JsonObject], Awaitable[JsonObject]]) -> Action:
    """For controls that read the fields themselves."""

    async def act(asked: Asked) -> JsonObject:
        try:
            return await action(asked.rest())
        except KeyError as missing:
            raise ControlError(str(missing.args[0]), "is missing") from missing
        except (TypeError, ValueError) as wrong:
            raise ControlError(None, str(wrong)) from wrong

    return act


def _fields(body: bytes) -> JsonObject:
    try:
        fields = json.loads(body) if body else {}
    except (ValueError, RecursionError) as wrong:
        raise ControlError(None, "the body could not be parsed as JSON") from wrong
    if not isinstance(fields, dict):
        raise ControlError(None, "the body must be a JSON object")
    return fields
