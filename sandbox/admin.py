"""The sandbox's own controls under `/_sandbox`: clock, keys, settings, faults, events, and the auditor's reports.

JSON in and out, and no key: whoever can reach the sandbox may turn its knobs.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from sandbox.audit import Audit
from sandbox.books import Books
from sandbox.clock import SPEED_MAX, Clock
from sandbox.controls_webhooks import WebhookControls
from sandbox.courier import Courier
from sandbox.faults import Fault, Faults
from sandbox.keys import DEFAULT_ACCOUNT, Keys
from sandbox.params import INSTANT_MAX
from sandbox.resources.events import Event, record
from sandbox.timekeeper import Timekeeper
from sandbox.wire import JsonObject

PAGE_MAX = 1_000
TIMES_MAX = 100
JOURNEY_MAX_S = 10 * 366 * 86_400


class UnknownControlError(LookupError):
    """No control of this method and path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admin:
    clock: Clock
    timekeeper: Timekeeper
    keys: Keys
    faults: Faults
    audit: Audit
    courier: Courier

    async def respond(self, method: str, path: str, *, query: dict[str, str], body: bytes) -> JsonObject:
        """ValueError, TypeError, KeyError or UnknownControlError for what cannot be understood."""
        control = self._controls().get((method, path.removeprefix("/_sandbox/")))
        if control is None:
            raise UnknownControlError(f"{method} {path}")
        asked = json.loads(body) if body else {}
        if not isinstance(asked, dict):
            raise TypeError("the body must be a JSON object")
        return await control({**query, **asked})

    def _controls(self) -> dict[tuple[str, str], Callable[[JsonObject], Awaitable[JsonObject]]]:
        return {
            ("GET", "clock"): self._clock,
            ("POST", "clock"): self._set_clock,
            ("POST", "keys"): self._add_key,
            ("DELETE", "keys"): self._revoke_key,
            ("GET", "settings"): self._settings,
            ("POST", "settings"): self._set_settings,
            ("GET", "faults"): self._faults,
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "events"): self._trigger,
            ("POST", "deliver"): self._deliver,
            ("GET", "deliveries"): self._deliveries,
            ("GET", "audit"): self._audit,
            ("GET", "audit/calls"): self._audit_calls,
            **WebhookControls(keys=self.keys, faults=self.courier.faults).controls(),
        }

    async def _clock(self, _: JsonObject) -> JsonObject:
        return self.clock.render()

    async def _set_clock(self, asked: JsonObject) -> JsonObject:
        """Changes what is named: speed (`frozen` is 0 and back to 1), then the time, by one of its three names."""
        if "frozen" in asked:
            self.clock.run_at(0.0 if asked["frozen"] is True else 1.0)
        if "speed" in asked:
            self.clock.run_at(_within(asked["speed"], 0, SPEED_MAX))
        if "advance" in asked:
            await self.timekeeper.travel(self.clock.instant() + _within(asked["advance"], 0, JOURNEY_MAX_S))
        if "offset" in asked:
            await self.timekeeper.travel(self.clock.wall() + _within(asked["offset"], -JOURNEY_MAX_S, JOURNEY_MAX_S))
        if "to" in asked:
            await self.timekeeper.travel(_within(asked["to"], 0, INSTANT_MAX))
        return self.clock.render()

    async def _add_key(self, asked: JsonObject) -> JsonObject:
        key, livemode = str(asked["key"]), asked.get("livemode") is True
        account = str(asked.get("account", DEFAULT_ACCOUNT))
        self.keys.add(key, account=account, livemode=livemode)
        return {"key": key, "account": account, "livemode": livemode}

    async def _revoke_key(self, asked: JsonObject) -> JsonObject:
        self.keys.revoke(str(asked["key"]))
        return {"key": asked["key"], "revoked": True}

    async def _settings(self, asked: JsonObject) -> JsonObject:
        return asdict(self._books(asked).settings if "account" in asked else self.keys.defaults)

    async def _set_settings(self, asked: JsonObject) -> JsonObject:
        """For one account and mode; without an account for all there are and all to come."""
        wanted = {name: value for name, value in asked.items() if name not in {"account", "livemode"}}
        chosen = [self._books(asked)] if "account" in asked else self.keys.all_books()
        if "account" not in asked:
            self.keys.set_defaults(self.keys.defaults.changed(wanted))
        for books in chosen:
            books.settings = books.settings.changed(wanted)
        return await self._settings(asked)

    async def _faults(self, _: JsonObject) -> JsonObject:
        return {"data": self.faults.render()}

    async def _add_fault(self, asked: JsonObject) -> JsonObject:
        fault = Fault(**asked)
        self.faults.add(fault)
        return fault.render()

    async def _clear_faults(self, asked: JsonObject) -> JsonObject:
        self.faults.clear(asked.get("account"))
        return await self._faults(asked)

    async def _trigger(self, asked: JsonObject) -> JsonObject:
        """Makes any event of any object happen, as `stripe trigger` does."""
        return record(self._books(asked), str(asked["type"]), dict(asked["object"])).render()

    async def _deliver(self, asked: JsonObject) -> JsonObject:
        times = min(int(asked.get("times", 1)), TIMES_MAX)
        for books in self.keys.all_books():
            if event := books.shelf(Event).get(str(asked["event"])):
                return {"statuses": await self.courier.repeat(books, event, times=times)}
        raise ValueError(f"no such event: {asked['event']}")

    async def _deliveries(self, asked: JsonObject) -> JsonObject:
        account = asked.get("account")
        return {"data": [made for made in self.courier.attempts() if account in (None, made["account"])]}

    async def _audit(self, asked: JsonObject) -> JsonObject:
        return self.audit.report(asked.get("account"))

    async def _audit_calls(self, asked: JsonObject) -> JsonObject:
        return self.audit.calls(
            asked, after=int(asked.get("after", 0)), limit=min(int(asked.get("limit", PAGE_MAX)), PAGE_MAX)
        )

    def _books(self, asked: JsonObject) -> Books:
        account = str(asked.get("account", DEFAULT_ACCOUNT))
        return self.keys.books(account, livemode=asked.get("livemode") in (True, "true"))


def _within(value: object, lowest: float, highest: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("the clock's values must be numbers")
    if not lowest <= value <= highest:
        raise ValueError(f"{value} does not lie within {lowest} and {highest}")
    return value
