"""What the sandbox's own controls do: clock, keys, settings, faults, events, and the auditor's reports."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, fields

from sandbox.auditor.audit import Audit
from sandbox.auditor.calls import FILTERS
from sandbox.books import Books
from sandbox.calls.fault_kinds import KINDS
from sandbox.calls.faults import Fault, FaultError, Faults
from sandbox.clock import SPEED_MAX, Clock
from sandbox.controls.asked import Asked, ControlError, Controls
from sandbox.keys import DEFAULT_ACCOUNT, Keys
from sandbox.parameters.params import INSTANT_MAX
from sandbox.resources.events import record
from sandbox.settings import Settings
from sandbox.timekeeper import Timekeeper
from sandbox.webhooks.courier import Courier, event_by_id
from sandbox.wire import JsonObject

PAGE_MAX = 1_000
TIMES_MAX = 100
NUMBER_MAX = 2**53
JOURNEY_MAX_S = 10 * 366 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockControls:
    clock: Clock
    timekeeper: Timekeeper

    def controls(self) -> Controls:
        return {
            ("GET", "clock"): self.show,
            ("POST", "clock"): self.change,
        }

    async def show(self, _: Asked) -> JsonObject:
        """Tells the time, the speed and what falls due next."""
        return self.clock.render()

    async def change(self, asked: Asked) -> JsonObject:
        """Moves the clock: `advance` seconds, `to` an instant or `offset` from the wall; `speed`, `frozen`.

        Everything is read before anything moves: speed (`frozen` is 0 and back to 1), then the time.
        """
        speed = 1.0 - asked.is_true("frozen") if "frozen" in asked else None
        speed = asked.number("speed", 0, SPEED_MAX) if "speed" in asked else speed
        advance_s = asked.number("advance", 0, JOURNEY_MAX_S) if "advance" in asked else None
        offset_s = asked.number("offset", -JOURNEY_MAX_S, JOURNEY_MAX_S) if "offset" in asked else None
        to = asked.number("to", 0, INSTANT_MAX) if "to" in asked else None
        asked.nothing_else()
        if sum(way is not None for way in (advance_s, offset_s, to)) > 1:
            raise ControlError("advance", "excludes offset and to: tell the time in one way")
        if speed is not None:
            self.clock.run_at(speed)
        if advance_s is not None:
            await self.timekeeper.travel(self.clock.instant() + advance_s)
        if offset_s is not None:
            await self.timekeeper.travel(self.clock.wall() + offset_s)
        if to is not None:
            await self.timekeeper.travel(to)
        return self.clock.render()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountControls:
    keys: Keys
    faults: Faults
    audit: Audit
    courier: Courier
    renew: Callable[[], Awaitable[None]]

    def controls(self) -> Controls:
        return {
            ("POST", "keys"): self.add_key,
            ("DELETE", "keys"): self.revoke_key,
            ("GET", "settings"): self.show_settings,
            ("POST", "settings"): self.change_settings,
            ("POST", "reset"): self.reset,
        }

    async def add_key(self, asked: Asked) -> JsonObject:
        """Makes `key` a key of `account`, `livemode` or not."""
        key, account = asked.required("key"), asked.text("account") or DEFAULT_ACCOUNT
        livemode = asked.is_true("livemode")
        asked.nothing_else()
        self.keys.add(key, account=account, livemode=livemode)
        return {"key": key, "account": account, "livemode": livemode}

    async def revoke_key(self, asked: Asked) -> JsonObject:
        """Revokes `key`: from now on it is answered as expired."""
        key = asked.required("key")
        asked.nothing_else()
        self.keys.revoke(key)
        return {"key": key, "revoked": True}

    async def show_settings(self, asked: Asked) -> JsonObject:
        """Tells the switches, of `account` or for all."""
        chosen = books_of(self.keys, asked).settings if "account" in asked else self.keys.defaults
        asked.is_true("livemode")
        asked.nothing_else()
        return asdict(chosen)

    async def change_settings(self, asked: Asked) -> JsonObject:
        """Sets switches by name, of `account` or for all there are and all to come."""
        one = books_of(self.keys, asked) if "account" in asked else None
        asked.is_true("livemode")
        wanted = asked.rest()
        for name, value in wanted.items():
            _check_setting(name, value)
        if one is None:
            self.keys.set_defaults(self.keys.defaults.changed(wanted))
        for books in [one] if one else self.keys.all_books():
            books.settings = books.settings.changed(wanted)
        return asdict(one.settings if one else self.keys.defaults)

    async def reset(self, asked: Asked) -> JsonObject:
        """Forgets everything of `account` but its keys; without one everything there is, and begins anew."""
        account = asked.text("account")
        asked.nothing_else()
        if account is None:
            await self.renew()
            return {"reset": True}
        self.keys.reset(account)
        self.faults.clear(account)
        self.courier.faults.clear(account)
        self.audit.forget(account)
        return {"account": account, "reset": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultControls:
    faults: Faults

    def controls(self) -> Controls:
        return {
            ("GET", "faults"): self.show,
            ("POST", "faults"): self.add,
            ("DELETE", "faults"): self.remove,
        }

    async def show(self, asked: Asked) -> JsonObject:
        """Lists the faults, with how often each struck."""
        asked.nothing_else()
        return {"data": self.faults.render()}

    async def add(self, asked: Asked) -> JsonObject:
        """Adds a fault of `kind`; by `path`, `method`, `account`, `share`, `seed`, `times`."""
        wanted = asked.rest()
        _check_fault(wanted)
        try:
            fault = Fault(**wanted)
            self.faults.add(fault)
        except FaultError as wrong:
            raise ControlError(wrong.field, str(wrong).removeprefix(f"{wrong.field} ")) from wrong
        return fault.render()

    async def remove(self, asked: Asked) -> JsonObject:
        """Removes the fault of `id`, those of `account`, or all."""
        identity, account = asked.text("id"), asked.text("account")
        asked.nothing_else()
        if identity is None:
            self.faults.clear(account)
        elif not self.faults.remove(identity):
            raise ControlError("id", f"names no fault: {identity}")
        return {"data": self.faults.render()}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventControls:
    keys: Keys
    courier: Courier

    def controls(self) -> Controls:
        return {
            ("POST", "events"): self.trigger,
            ("POST", "deliver"): self.deliver,
            ("GET", "deliveries"): self.deliveries,
        }

    async def trigger(self, asked: Asked) -> JsonObject:
        """Makes an event of `type` about `object` happen to `account`, as `stripe trigger` does."""
        kind, subject, books = asked.required("type"), asked.group("object"), books_of(self.keys, asked)
        asked.nothing_else()
        return record(books, kind, subject).render()

    async def deliver(self, asked: Asked) -> JsonObject:
        """Delivers `event`, snapshot or thin, again, `times` times at once."""
        identity, times = asked.required("event"), asked.whole("times", default=1, highest=TIMES_MAX)
        asked.nothing_else()
        for books in self.keys.all_books():
            if event := event_by_id(books, identity):
                return {"statuses": await self.courier.repeat(books, event, times=times)}
        raise ControlError("event", f"names no event: {identity}")

    async def deliveries(self, asked: Asked) -> JsonObject:
        """Lists the attempts to deliver events, of `account` or all."""
        account = asked.text("account")
        asked.nothing_else()
        return {"data": [made for made in self.courier.attempts() if account in (None, made["account"])]}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditControls:
    audit: Audit

    def controls(self) -> Controls:
        return {
            ("GET", "audit"): self.report,
            ("GET", "audit/calls"): self.calls,
            ("GET", "audit/minutes"): self.minutes,
        }

    async def report(self, asked: Asked) -> JsonObject:
        """Tells the auditor's sums, of `account` or all, in both modes or the one of `livemode`."""
        account, livemode = asked.text("account"), _mode(asked)
        asked.nothing_else()
        return self.audit.report(account, livemode=livemode)

    async def calls(self, asked: Asked) -> JsonObject:
        """Lists calls, oldest first, behind number `after`; by any of the filters that a refusal names."""
        wanted = _filters(asked, FILTERS)
        after = asked.whole("after", default=0, highest=NUMBER_MAX)
        limit = asked.whole("limit", default=PAGE_MAX, highest=PAGE_MAX)
        asked.nothing_else()
        return self.audit.calls(wanted, after=after, limit=limit)

    async def minutes(self, asked: Asked) -> JsonObject:
        """Tells what was applied, by account, customer, event name and minute."""
        wanted = _filters(asked, ("account", "customer", "event_name"))
        asked.nothing_else()
        return self.audit.minutes(wanted)


def books_of(keys: Keys, asked: Asked) -> Books:
    return keys.books(asked.text("account") or DEFAULT_ACCOUNT, livemode=asked.is_true("livemode"))


def _filters(asked: Asked, names: tuple[str, ...]) -> JsonObject:
    wanted = {name: asked.text(name) for name in names if name != "livemode"}
    return wanted | {"livemode": _mode(asked), "since": asked.whole("since", default=0, highest=NUMBER_MAX)}


def _mode(asked: Asked) -> bool | None:
    """None for both."""
    return asked.is_true("livemode") if "livemode" in asked else None


def _check_setting(name: str, value: object) -> None:
    try:
        Settings().changed({name: value})
    except ValueError as wrong:
        raise ControlError(name, str(wrong).removeprefix(f"{name} ")) from wrong


def _check_fault(wanted: JsonObject) -> None:
    kind = wanted.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ControlError("kind", f"must be one of {', '.join(KINDS)}")
    own = {name for each in KINDS.values() for name in each.fields}
    known = {each.name for each in fields(Fault)} - {"id", "struck", "_chances"} - own | {*KINDS[kind].fields}
    for name in wanted:
        if name not in known:
            raise ControlError(name, f"is nothing of a fault of kind {kind}")
