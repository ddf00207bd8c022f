"""The front door: the order in which Stripe treats a call, with the faults at their places.

Proxy → rate limit → authentication → version → interruptions → definitions → idempotency → lane → endpoint. What comes
before idempotency is never kept under a key, so the same key may come again; what comes behind it is replayed.
"""

import asyncio
import json
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sandbox.auditor.audit import Audit
from sandbox.books import Books, Cause
from sandbox.calls.call import Call
from sandbox.calls.faults import Faults
from sandbox.calls.interruptions import cut_off, interrupt, spoilt
from sandbox.calls.routes import Lane, Route, matched
from sandbox.calls.visit import NO_ACCOUNT, Visit
from sandbox.clock import Clock
from sandbox.errors import (
    ApiError,
    lock_timeout,
    no_access,
    no_version,
    rate_limited,
    referring,
    server_error,
    too_many_concurrent,
    unknown_url,
    unknown_version,
    unreadable,
    wrong_key,
)
from sandbox.http.answer import HTML, Answer, refusal, success
from sandbox.http.arrival import Arrival
from sandbox.ids import Ids
from sandbox.keys import Keys
from sandbox.parameters.definitions import check
from sandbox.parameters.expanding import expanded
from sandbox.parameters.params import Params
from sandbox.settings import Settings
from sandbox.wire import API_VERSION


class Door:
    def __init__(self, *, keys: Keys, faults: Faults, audit: Audit, clock: Clock) -> None:
        self._keys = keys
        self._faults = faults
        self._audit = audit
        self._clock = clock
        self._ids = Ids(seed=0, scope="strangers")

    async def respond(self, arrival: Arrival) -> Answer:
        """The answer to send, and how."""
        self._clock.strike()
        visit = self._visit(arrival)
        with self._audit.watched(arrival, whose=visit.whose, endpoint=visit.endpoint):
            try:
                answer = await self._answer(visit)
            except ApiError as error:
                answer = refusal(error, api=arrival.api)
        answer = spoilt(answer, visit.drawn) if visit.drawn else answer
        self._note(visit, answer)
        return answer if answer.content_type == HTML else replace(answer, headers=answer.headers | visit.echoed())

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
        if visit.drawn and (instead := cut_off(visit.drawn)):
            return instead
        _limit(visit)
        route, call = self._admitted(visit)
        interrupt(visit.drawn)
        check(route.takes, visit.defined(), document=visit.arrival.document)
        return await (self._once if visit.has_key else self._executed)(visit, call, route=route)

    def _admitted(self, visit: Visit) -> tuple[Route, Call]:
        arrival = visit.arrival
        if "unauthorized" in visit.drawn:
            raise wrong_key(arrival.secret or "")
        books = self._keys.opened(arrival.secret)
        _check_headers(arrival, books)
        if visit.route is None:
            raise unknown_url(arrival.method, arrival.path)
        if not isinstance(arrival.asked, dict):
            raise unreadable(str(arrival.asked))
        rejected_later = visit.drawn.get("rejected_later")
        call = Call(
            books=books,
            params=Params(arrival.asked),
            path=arrival.path,
            path_ids=visit.path_ids,
            request_id=visit.request_id,
            idempotency_key=arrival.idempotency_key,
            asked=arrival.asked,
            rejected_later=rejected_later.code if rejected_later else None,
        )
        return visit.route, call

    async def _once(self, visit: Visit, call: Call, *, route: Route) -> Answer:
        """Executes, unless this key has its answer already; keeps the answer, or frees the key."""
        keyed, keys = visit.keyed(call), call.books.keys
        kept = keys.begin(keyed)
        if kept is not None:
            return _as_it_is_now(kept, call) if keyed.api == "v2" else kept
        try:
            answer = await self._executed(visit, call, route=route)
        except BaseException:
            keys.release(keyed)
            raise
        if "bad_gateway_after" in visit.drawn and not call.books.settings.bad_gateway_keeps_the_answer:
            keys.release(keyed)
        else:
            keys.close(keyed, answer)
        return answer

    async def _executed(self, visit: Visit, call: Call, *, route: Route) -> Answer:
        lane = route.lane(call) if route.lane else None
        with _held(call.books, lane):
            if latency := visit.drawn.get("latency"):
                await asyncio.sleep(latency.drawn_delay_s(visit.account))
            answer = _failed(visit) if "error_kept" in visit.drawn else run(route, call)
        self._audit.executed(visit.arrival, answer, whose=visit.whose, now=call.now)
        if "error_after" in visit.drawn and answer.fate == "applied":
            return replace(_failed(visit), fate="applied", has_applied=answer.has_applied)
        return answer

    def _note(self, visit: Visit, answer: Answer) -> None:
        self._audit.answered(
            visit.arrival,
            answer,
            whose=visit.whose,
            endpoint=visit.endpoint,
            request_id=visit.request_id,
            now=self._clock.now(),
        )


def _limit(visit: Visit) -> None:
    settings = visit.books.settings if visit.books else Settings()
    if limiter := visit.drawn.get("rate_limited"):
        raise _limited(limiter.reason, settings)
    if visit.books is None or visit.route is None or settings.limits == "off":
        return
    reason = visit.books.limiter.refusal(settings.limits, endpoint=visit.route.name, instant=time.monotonic())
    if reason is not None:
        raise _limited(reason, settings)


def _limited(reason: str | None, settings: Settings) -> ApiError:
    return rate_limited(reason, kind=settings.rate_limit_error_type, retry_after_s=settings.rate_limit_retry_after_s)


def _check_headers(arrival: Arrival, books: Books) -> None:
    if arrival.on_behalf_of not in (None, books.account):
        raise no_access(arrival.secret or "", arrival.on_behalf_of)
    if arrival.version is None:
        if arrival.api == "v2":
            raise no_version()
    elif arrival.version != API_VERSION and not books.settings.other_versions_are_answered:
        raise unknown_version(arrival.version, spoken=API_VERSION)


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


def run(route: Route, call: Call) -> Answer:
    """What the endpoint answers; a fault of its own is Stripe's 500 to the caller, and told on stderr."""
    call.books.cause = Cause(request_id=call.request_id, idempotency_key=call.idempotency_key)
    try:
        return success(expanded(call, route.endpoint(call), takes=route.takes))
    except ApiError as error:
        return refusal(
            referring(error, status=call.books.settings.missing_reference_status), api="v2" if call.is_v2 else "v1"
        )
    except Exception:  # noqa: BLE001 - whatever an endpoint's own fault is, its caller gets an answer
        sys.stderr.write(f"{call.request_id} {route.name}\n{traceback.format_exc()}")
        return refusal(server_error(), api="v2" if call.is_v2 else "v1")
    finally:
        call.books.cause = None


def _as_it_is_now(kept: Answer, call: Call) -> Answer:
    """v2 replays the object as it is now, where there is an address to read it at; else the kept answer."""
    identity = json.loads(kept.body).get("id")
    paths = (call.path, f"{call.path}/{identity}")
    found = next((found for path in paths if (found := matched("GET", path)) and found[1]), None)
    if found is None:
        return kept
    asked = {name: branch for name, branch in call.asked.items() if name == "include"}
    route, path_ids = found
    read = run(route, replace(call, params=Params(asked), asked=asked, path_ids=path_ids))
    return replace(kept, body=read.body) if read.fate == "applied" else kept


def _failed(visit: Visit) -> Answer:
    """The 500 of a call that began; a key of v1 would only replay it, and then it may say so."""
    is_kept, books = visit.has_key and visit.arrival.api == "v1", visit.books
    says_not_to_retry = is_kept and books is not None and books.settings.kept_errors_say_not_to_retry
    return refusal(server_error(says_not_to_retry=says_not_to_retry), api=visit.arrival.api)
