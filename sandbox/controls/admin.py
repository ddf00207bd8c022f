"""The sandbox's own controls under `/_sandbox`, listed by `GET /_sandbox`.

JSON in and out, and no key: whoever can reach the sandbox may turn its knobs.
"""

import json
from collections.abc import Awaitable, Callable
from inspect import getdoc

from sandbox.auditor.audit import Audit
from sandbox.calls.fault_kinds import KINDS
from sandbox.calls.faults import Faults
from sandbox.clock import Clock
from sandbox.controls.asked import Asked, ControlError, Controls
from sandbox.controls.knobs import AccountControls, AuditControls, ClockControls, EventControls, FaultControls
from sandbox.controls.webhooks import WebhookControls
from sandbox.keys import Keys
from sandbox.timekeeper import Timekeeper
from sandbox.webhooks.courier import Courier
from sandbox.wire import JsonObject

ROOT = "/_sandbox"


class UnknownControlError(LookupError):
    """No control of this method and path."""


class Admin:
    def __init__(
        self,
        *,
        clock: Clock,
        timekeeper: Timekeeper,
        keys: Keys,
        faults: Faults,
        audit: Audit,
        courier: Courier,
        renew: Callable[[], Awaitable[None]],
    ) -> None:
        self._controls: Controls = {
            ("GET", ""): self._list,
            **ClockControls(clock=clock, timekeeper=timekeeper).controls(),
            **AccountControls(keys=keys, faults=faults, audit=audit, courier=courier, renew=renew).controls(),
            **FaultControls(faults=faults).controls(),
            **EventControls(keys=keys, courier=courier).controls(),
            **WebhookControls(keys=keys, courier=courier).controls(),
            **AuditControls(audit=audit).controls(),
        }

    async def respond(self, method: str, path: str, *, query: dict[str, str], body: bytes) -> JsonObject:
        """ControlError or UnknownControlError for what cannot be understood."""
        control = self._controls.get((method, path.removeprefix(ROOT).strip("/")))
        if control is None:
            raise UnknownControlError(f"{method} {path}; GET {ROOT} lists them all")
        return await control(Asked({**query, **_fields(body)}))

    async def _list(self, asked: Asked) -> JsonObject:
        """Lists the controls and the kinds of faults."""
        asked.nothing_else()
        return {
            "controls": [
                {
                    "method": method,
                    "path": f"{ROOT}/{name}".rstrip("/"),
                    "says": (getdoc(control) or "").partition("\n")[0],
                }
                for (method, name), control in self._controls.items()
            ],
            "faults": [{"kind": name, "says": kind.says, "fields": list(kind.fields)} for name, kind in KINDS.items()],
        }


def _fields(body: bytes) -> JsonObject:
    try:
        fields = json.loads(body) if body else {}
    except (ValueError, RecursionError) as wrong:
        raise ControlError(None, "the body could not be parsed as JSON") from wrong
    if not isinstance(fields, dict):
        raise ControlError(None, "the body must be a JSON object")
    return fields
