"""The same history once more, by the workers' own code through the ledger's own statements on a real PostgreSQL.

Each step is taken twice: by the model's lane, and by `submit`, `reconcile` or the desk on a ledger whose clock stands
at the history's instant. After each the two must be equal in all that decides. They share the rules, not the books.
"""

from collections.abc import Iterable
from dataclasses import fields
from random import Random
from typing import Any

from model.facts import BEGIN, Look, Try, moment
from model.ledger import Lane
from model.rules import TIMING
from model.sql_ledger import Disagreement, SqlLedger
from model.weather import Canary
from service.ledger import lanes, remedies
from service.ledger.actions import Order
from service.ledger.answers import Ordered
from service.ledger.lanes import Lease
from service.ledger.reading_back import Look as SqlLook
from service.ledger.reading_back import MinuteToRead, verdict_name
from service.letters import Kind, LetterId
from service.outcomes import Outcome
from service.read_back import HeldMinute, Verdict
from workers.submit import Call

ADA = Order(actor="ada", reason="because")


class TwiceLane(Lane):
    """The model's lane, and beside it the same one in a real ledger."""

    def __init__(self, chance: Random, *, ledger: SqlLedger) -> None:
        super().__init__(chance)
        self._ledger = ledger
        self._account = ledger.new_account()
        self._meter = f"mtr_{self._account}"
        self._lane_id = ledger.make_lane(self._account, "cus_1", due_at=BEGIN)
        self._canary_lane_id = ledger.make_lane(self._account, "cus_2", due_at=None)
        self._meter_event_id = ledger.make_meter_event(self._lane_id, self._meter)
        self._reader = ledger.reader(self._account)
        self._calls: dict[int, Call] = {}
        self._minutes: list[MinuteToRead] = []
        self._looks: dict[Look, tuple[MinuteToRead, SqlLook]] = {}
        self._canaries: dict[int, int] = {}

    def take(self, now: int) -> int | None:
        fence = super().take(now)
        with self._ledger.at(now) as tx:
            leases = lanes.lease_lanes(tx, self._account, lanes_max=1, timing=TIMING)
        self._same("take", [lease.fence for lease in leases], [] if fence is None else [fence])
        self._agree("take", now)
        return fence

    def close_dead(self, fence: int, now: int) -> None:
        is_any_open = self.open_try is not None
        super().close_dead(fence, now)
        self._ledger.stand(now)
        self._ledger.submitter._close_dead_attempts(self._lease(fence))
        if is_any_open:
            self._agree("close_dead", now)

    def open(self, fence: int, now: int) -> Try | None:
        tried = super().open(fence, now)
        self._ledger.stand(now)
        call = self._ledger.submitter._open(self._lease(fence))
        self._same("open", call is None, tried is None)
        if call is not None and tried is not None:
            self._calls[id(tried)] = call
        self._agree("open", now)
        return tried

    def close(self, tried: Try, outcome: Outcome, now: int) -> int:
        rest_s = super().close(tried, outcome, now)
        self._ledger.stand(now)
        call = self._calls[id(tried)]
        _, rested_s = self._ledger.submitter._close(call, outcome, lease=self._lease(tried.fence))
        self._same("close", rested_s, rest_s)
        self._agree("close", now)
        return rest_s

    def release(self, fence: int, now: int, *, rest_s: int) -> None:
        super().release(fence, now, rest_s=rest_s)
        self._ledger.stand(now)
        self._ledger.submitter._release(self._lease(fence), rest_s=rest_s)
        self._agree("release", now)

    def claim(self, now: int) -> bool:
        is_claimed = super().claim(now)
        with self._ledger.at(now) as tx:
            claimed = self._reader._claim(tx)
        self._same("claim", len(claimed), int(is_claimed))
        self._minutes = claimed or self._minutes
        self._agree("claim", now)
        return is_claimed

    def look(self, now: int, canaries: Iterable[Canary]) -> Look | None:
        known = list(canaries)
        seen = super().look(now, known)
        for canary in known:
            if canary.number not in self._canaries:
                made = self._ledger.make_canary(self._canary_lane_id, self._meter, canary=canary)
                self._canaries[canary.number] = made
        if self._minutes:
            with self._ledger.at(now) as tx:
                found = self._reader._look(tx, self._minutes[0])
            self._same("look", self._told(found), seen and seen.minute)
            if seen is not None and found is not None:
                self._looks[seen] = self._minutes[0], found
        return seen

    def conclude(self, seen: Look, counted: int, now: int) -> Verdict | None:
        verdict = super().conclude(seen, counted, now)
        minute, found = self._looks[seen]
        self._ledger.stand(now)
        if found.is_moving:
            self._reader._keep(minute, found)
        else:
            self._reader._conclude(minute, found, counted=counted * found.held)
        self._agree("conclude", now)
        return verdict

    def report(self, generation: int, now: int) -> None:
        super().report(generation, now)
        self._ledger.stand(now)
        self._ledger.report(self._account, self._meter_event_id, generation)
        self._agree("report", now)

    def retry(self, now: int) -> None:
        super().retry(now)
        with self._ledger.at(now) as tx:
            remedies.retry(self._ordered(tx), timing=TIMING)
        self._agree("retry", now)

    def discard(self, now: int) -> None:
        super().discard(now)
        with self._ledger.at(now) as tx:
            remedies.discard(self._ordered(tx))
        self._agree("discard", now)

    def jitter(self, seconds_max: float) -> int:
        drawn = super().jitter(seconds_max)
        self._ledger.jitter.drawn.append(drawn)
        return drawn

    def _lease(self, fence: int) -> Lease:
        return Lease(self._lane_id, fence)

    def _ordered(self, tx: Any) -> Ordered:
        return Ordered(tx=tx, letter=LetterId(kind=Kind.METER_EVENT, key=str(self._meter_event_id)), order=ADA)

    def _told(self, found: SqlLook | None) -> HeldMinute | None:
        """A look of the ledger's, with the model's number of the canary."""
        if found is None:
            return None
        numbers = {made: number for number, made in self._canaries.items()}
        told = {one.name: getattr(found, one.name) for one in fields(HeldMinute)}
        return HeldMinute(**{**told, "canary_id": found.canary_id and numbers[found.canary_id]})

    def _agree(self, step: str, now: int) -> None:
        self._same(f"{step}: jitter that was not drawn", self._ledger.jitter.drawn, [])
        self._same(f"{step} at {moment(now):%d %H:%M:%S}", self._ledger.facts(self._meter_event_id), self._facts_here())

    def _facts_here(self) -> list[Any]:
        return [
            self.state,
            self.generation,
            self.doubt,
            None if self.due_at is None else moment(self.due_at),
            self.read_back_at,
            self.is_discarded,
            self.fence,
            None if self.lane_due_at is None else moment(self.lane_due_at),
            moment(self.leased_until) if self.leased_until else None,
            [_attempt(tried) for tried in self.tries],
            [self._reading(number) for number in range(len(self.readings))],
        ]

    def _reading(self, number: int) -> list[Any]:
        one = self.readings[number]
        canary = one.canary_id and self._canaries[one.canary_id]
        at = int((one.read_at - BEGIN).total_seconds())
        return [one.generation, at, int(one.counted), verdict_name(one.verdict), canary]

    def _same(self, step: str, ledger: object, model: object) -> None:
        if ledger != model:
            raise Disagreement(f"{step}:\n  the ledger has {ledger}\n  the model has  {model}")


def _attempt(tried: Try) -> list[Any]:
    told: list[Any] = [tried.generation, tried.key, tried.fence, tried.opened_at, tried.ended_at]
    if tried.outcome is None:
        return [*told, None, None, None, False]
    answer = tried.outcome.answer
    return [*told, lanes.outcome_name(tried.outcome), answer.code or None, answer.status, answer.is_replayed]
