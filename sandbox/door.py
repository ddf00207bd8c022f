"""The front door: the order in which Stripe treats a call, with the faults at their places.

Rate limit → authentication → interruptions → definitions → idempotency → lane → endpoint. What comes before
idempotency is never kept under a key, so the same key may come again; what comes behind it is replayed.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sandbox.answer import Answer, refusal, success
from sandbox.arrival import Arrival
from sandbox.audit import Audit
from sandbox.books import Books
from sandbox.call import Call
from sandbox.clock import Clock
from sandbox.definitions import check
from sandbox.errors import (
    ApiError,
    lock_timeout,
    rate_limited,
    server_error,
    too_many_concurrent,
    unknown_url,
    wrong_key,
)
from sandbox.faults import Drawn, Faults
from sandbox.ids import Ids
from sandbox.keys import Keys
from sandbox.params import Params
from sandbox.routes import Lane, Route, matched
from sandbox.wire import API_VERSION

NO_ACCOUNT = ""
NO_ENDPOINT = "unrecognized"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A call on its way through the door."""

    arrival: Arrival
    books: Books | None
    route: Route | None
    path_ids: tuple[str, ...]
    request_id: str
    drawn: Drawn

    @property
    def account(self) -> str:
        return self.books.account if self.books else NO_ACCOUNT


class Door:
    def __init__(self, *, keys: Keys, faults: Faults, audit: Audit, clock: Clock) -> None:
        self._keys = keys
        self._faults = faults
        self._audit = audit
        self._clock = clock
        self._ids = Ids(seed=0, scope="strangers")

    async def respond(self, arrival: Arrival) -> Answer:
        """The answer to send; its fate is `lost` where the connection is to be dropped instead."""
        self._clock.strike()
        visit = self._visit(arrival)
        with self._audit.watched(arrival, account=visit.account):
            try:
                answer = await self._answer(visit)
            except ApiError as error:
                answer = refusal(error)
        if "reply_lost" in visit.drawn:
            answer = replace(answer, fate="lost")
        self._note(visit, answer)
        return replace(answer, headers=answer.headers | _echoed(visit))

    def _visit(self, arrival: Arrival) -> Visit:
        books = self._keys.find(arrival.secret)
        route, path_ids = matched(arrival.method, arrival.path) or (None, ())
        account = books.account if books else NO_ACCOUNT
        return Visit(
            arrival=arrival,
            books=books,
            route=route,
            path_ids=path_ids,
            request_id=(books.ids if books else self._ids).new("req"),
            drawn=self._faults.drawn(method=arrival.method, path=arrival.path, account=account),
        )

    async def _answer(self, visit: Visit) -> Answer:
        _limit(visit)
        route, call = self._admitted(visit)
        _interrupt(visit.drawn)
        check(route.takes, visit.arrival.sent, document=visit.arrival.document)
        if visit.arrival.method == "POST" and visit.arrival.idempotency_key:
            return await self._once(visit, call, route=route, key=visit.arrival.idempotency_key)
        return await self._executed(visit, call, route=route)

    def _admitted(self, visit: Visit) -> tuple[Route, Call]:
        if "unauthorized" in visit.drawn:
            raise wrong_key(visit.arrival.secret or "")
        books = self._keys.opened(visit.arrival.secret)
        if visit.route is None:
            raise unknown_url(visit.arrival.method, visit.arrival.path)
        if not isinstance(visit.arrival.asked, dict):
            raise ApiError(400, str(visit.arrival.asked), began=False)
        call = Call(
            books=books,
            params=Params(visit.arrival.asked),
            path=visit.arrival.path,
            path_ids=visit.path_ids,
            request_id=visit.request_id,
            idempotency_key=visit.arrival.idempotency_key,
        )
        return visit.route, call

    async def _once(self, visit: Visit, call: Call, *, route: Route, key: str) -> Answer:
        """Executes, unless this key has its answer already; keeps the answer, or frees the key."""
        keys, window_s = call.books.keys, call.books.settings.idempotency_window_s
        fingerprint = visit.arrival.fingerprint()
        kept = keys.begin(key, fingerprint=fingerprint, now=call.now, window_s=window_s)
        if kept is not None:
            return kept
        try:
            answer = await self._executed(visit, call, route=route)
        except BaseException:
            keys.release(key)
            raise
        keys.close(key, answer, fingerprint=fingerprint, now=call.now, window_s=window_s)
        return answer

    async def _executed(self, visit: Visit, call: Call, *, route: Route) -> Answer:
        lane = route.lane(call) if route.lane else None
        with _held(call.books, lane):
            if delay := visit.drawn.get("latency"):
                await asyncio.sleep(delay.delay_s)
            answer = _run(route, call)
        self._audit.executed(visit.arrival, answer, account=visit.account, now=call.now)
        if "error_after" in visit.drawn and answer.fate == "applied":
            return replace(refusal(server_error()), fate="applied")
        return answer

    def _note(self, visit: Visit, answer: Answer) -> None:
        self._audit.answered(
            visit.arrival,
            answer,
            account=visit.account,
            endpoint=visit.route.name if visit.route else NO_ENDPOINT,
            request_id=visit.request_id,
            now=self._clock.now(),
        )


def _limit(visit: Visit) -> None:
    if limiter := visit.drawn.get("rate_limited"):
        raise rate_limited(limiter.reason)
    if visit.books is None or visit.route is None:
        return
    mode = visit.books.settings.limits
    reason = visit.books.limiter.refusal(mode, endpoint=visit.route.name, instant=time.monotonic())
    if reason is not None:
        raise rate_limited(reason)


def _interrupt(drawn: Drawn) -> None:
    if "lock_timeout" in drawn:
        raise lock_timeout()
    if "conflict" in drawn:
        raise too_many_concurrent()
    if "error_before" in drawn:
        raise server_error()


@contextmanager
def _held(books: Books, lane: Lane | None) -> Iterator[None]:
    """Holds the lane for the time of the call; refuses where another call holds it."""
    if lane is None:
        yield
        return
    if lane in books.lanes_held:
        raise lock_timeout() if books.settings.lane_conflict == "lock_timeout" else too_many_concurrent()
    books.lanes_held.add(lane)
    try:
        yield
    finally:
        books.lanes_held.discard(lane)


def _run(route: Route, call: Call) -> Answer:
    try:
        return success(route.endpoint(call))
    except ApiError as error:
        return refusal(error)


def _echoed(visit: Visit) -> dict[str, str]:
    headers = {"Request-Id": visit.request_id, "Stripe-Version": visit.arrival.version or API_VERSION}
    if visit.arrival.idempotency_key:
        headers["Idempotency-Key"] = visit.arrival.idempotency_key
    return headers
