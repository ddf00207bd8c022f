"""The one way to Stripe: the only file of the service that imports `stripe`.

Every call goes through StripeClient over our own HTTP (a total deadline), with a pinned API version, no retries of the
SDK's and no telemetry. Reporting a meter event never raises: whatever happens becomes an `Answer`, which the table in
`outcomes.py` reads. Reading raises `StripeUnavailable` or `StripeRefused`, also where the answer is not of the shape
that Stripe documents. Words of Stripe's, or of a proxy's, are cleaned and cut here: the ledger keeps them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from service.http import CallFailed, Http
from service.lean import without
from service.limiter import Pace, Unlimited
from service.meters import Meter, choose, read_meter
from service.outcomes import Answer, Reach, is_limited
from service.settings import Settings
from service.stripe_catalog import StripeCatalog
from service.stripe_destinations import StripeDestinations
from service.stripe_drafts import StripeDrafts
from service.stripe_events import StripeEvents
from service.stripe_objects import StripeObjects
from service.stripe_signups import Said, StripeSignups
from service.stripe_words import clean, is_stripes_error, page_of, plain, told

with without("aiohttp", "httpx"):
    import stripe

API_VERSION = "2026-10-28.endive"
CALL_ID = "X-Request-Id"  # the usual name of a caller's own id; Stripe's is Request-Id
PAGE = 100
PAGES_MAX = 1_000  # a bound on every list; 100,000 objects
REDIRECTED = 300
SERVER_ERROR = 500
NO_ERROR = '{"error": {}}'
UNREADABLE = "Stripe's answer could not be read"
MISSHAPEN = (AttributeError, LookupError, TypeError, ValueError, ArithmeticError, RecursionError)

stripe.enable_telemetry = False


Found = TypeVar("Found")


class StripeUnavailable(Exception):
    """Stripe could not be read now; nothing was changed, and asking later may succeed."""


class KeyRefused(StripeUnavailable):
    """Stripe does not take our key (401, 403); with another key, or other rights, the same question may succeed."""


class StripeRefused(Exception):
    """Stripe answers that this cannot be read; the text is Stripe's."""


class NotFound(StripeRefused):
    """Stripe has no such object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeAccount:
    stripe_account: str
    is_live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What Stripe counted of one customer and meter in [start, end)."""

    start: datetime
    value: Decimal


class Gateway:
    """Stripe, as far as we need it. Thread-safe."""

    def __init__(self, settings: Settings, *, limiter: Pace | None = None) -> None:
        self._is_live = "_live_" in settings.stripe_secret_key
        self._limiter = limiter or Unlimited()
        http = Http(
            connect_timeout_s=settings.timing.connect_timeout_s,
            deadline_s=settings.timing.call_deadline_s,
            ca_bundle=stripe.ca_bundle_path,
        )
        self._client = stripe.StripeClient(
            settings.stripe_secret_key,
            stripe_version=API_VERSION,
            base_addresses={"api": settings.stripe_api_base, "meter_events": settings.stripe_meter_events_base},
            max_network_retries=0,
            http_client=_CurlClient(http),
        )
        self.events = StripeEvents(self._client, self._read)
        self.destinations = StripeDestinations(self._client, self._read)
        self.drafts = StripeDrafts(self._client, read=self._read)
        self.objects = StripeObjects(self._client, read=self._read, list_all=self._list)
        self.catalog = StripeCatalog(self._client, read=self._read, list_all=self._list)
        self.signups = StripeSignups(self._client, call=_called, take=partial(self._limiter.take, "calls"))

    def send_meter_event(
        self,
        event_name: str,
        *,
        payload: Mapping[str, str],
        timestamp: int,
        identifier: str,
        idempotency_key: str,
        call_id: str,
    ) -> Answer:
        """Report one meter event (POST /v1/billing/meter_events). Takes no token: the caller has one. Never raises.

        `call_id` is our name for this one call: it joins what others log of it to our attempt, an answer or none.
        """
        told = {"event_name": event_name, "identifier": identifier, "timestamp": timestamp}
        options = {"idempotency_key": idempotency_key, "headers": {CALL_ID: call_id}}
        create: Callable[..., Any] = self._client.v1.billing.meter_events.create
        return _said(lambda: create({**told, "payload": dict(payload)}, options), identifier=identifier)

    def cancel_meter_event(self, event_name: str, *, identifier: str, idempotency_key: str, call_id: str) -> Answer:
        """Take one copy back (POST /v1/billing/meter_event_adjustments): asked for, not done, when it is answered.

        As `send_meter_event`: takes no token, and never raises.
        """
        told = {"event_name": event_name, "type": "cancel", "cancel": {"identifier": identifier}}
        options = {"idempotency_key": idempotency_key, "headers": {CALL_ID: call_id}}
        create: Callable[..., Any] = self._client.v1.billing.meter_event_adjustments.create
        return _said(partial(create, told, options), identifier=identifier)

    def account(self) -> StripeAccount:
        """Whose key this is. The mode is the key's own: Stripe's account object does not say it."""
        return self._read(
            self._client.v1.accounts.retrieve_current,
            parse=lambda found: StripeAccount(stripe_account=found.id, is_live=self._is_live),
        )

    def list_meters(self) -> list[Meter]:
        """All meters, one an event name."""
        return choose(self._list(self._client.v1.billing.meters.list, {}, parse=read_meter))

    def read_summaries(
        self, meter_id: str, *, customer: str, start: datetime, end: datetime, window: str | None
    ) -> list[Summary]:
        """What Stripe counted in [start, end), both on whole minutes; `window` "hour" gives one summary an hour."""
        asked: dict[str, Any] = {
            "customer": customer,
            "start_time": int(start.timestamp()),
            "end_time": int(end.timestamp()),
        }
        if window is not None:
            asked["value_grouping_window"] = window

        def page(params: Any) -> Any:
            return self._client.v1.billing.meters.event_summaries.list(meter_id, params)

        return self._list(page, asked, parse=_summary)

    def list_subscriptions(self, customer: str) -> list[dict[str, Any]]:
        """A customer's subscriptions, ended ones included, as Stripe's JSON; each with all of its items."""
        asked = {"customer": customer, "status": "all"}
        found = self._list(self._client.v1.subscriptions.list, asked, parse=plain)
        return [self.objects.made_whole("subscription", told) for told in found]

    def list_active_subscriptions(self) -> list[dict[str, Any]]:
        """Everybody's, as Stripe's JSON."""
        return self._list(self._client.v1.subscriptions.list, {"status": "active"}, parse=plain)

    def fetch_event(self, event_id: str) -> dict[str, Any]:
        """A thin event with what it says, as Stripe's JSON: the SDK's own shapes lack some of the documented ones."""
        path = f"/v2/core/events/{quote(event_id, safe='')}"
        return self._read(lambda: self._client.raw_request("get", path), parse=told)

    def _list(
        self, page: Callable[[Any], Any], params: Mapping[str, Any], *, parse: Callable[[Any], Found]
    ) -> list[Found]:
        asked, found = {**params, "limit": PAGE}, list[Found]()
        for _ in range(PAGES_MAX):
            more, last_id = self._read(partial(page, asked), parse=partial(page_of, parse=parse))
            found += more
            if last_id is None:
                return found
            asked = {**asked, "starting_after": last_id}
        raise StripeRefused(f"a list of Stripe's is longer than {PAGES_MAX * PAGE:,} objects")

    def _read(self, call: Callable[[], Any], *, parse: Callable[[Any], Found]) -> Found:
        self._limiter.take("calls")
        try:
            said = call()
            self._limiter.passed("calls")
            return parse(said)
        except stripe.StripeError as error:
            answer = _answer(error)
            if is_limited(answer):
                self._limiter.slow_down("calls")
            raise _read_error(answer) from error
        except MISSHAPEN as odd:
            raise StripeUnavailable(UNREADABLE) from odd


class _CurlClient(stripe.HTTPClient):
    """Our HTTP, as the SDK wants it."""

    name = "meterpost"

    def __init__(self, http: Http) -> None:
        super().__init__()
        self._http = http

    def request(  # noqa: PLR0917 — the SDK's signature
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        body = None if method == "get" else (post_data or "").encode()
        try:
            answer = self._http.call(method, url, headers=headers or {}, body=body)
        except CallFailed as failed:
            raise stripe.APIConnectionError(str(failed)) from failed  # type: ignore[no-untyped-call]  # the SDK's
        body_text = answer.body.decode("utf-8", "replace")
        if answer.status >= REDIRECTED and not is_stripes_error(body_text):
            body_text = NO_ERROR  # the SDK trips over what a proxy may say; the status is all there is to know of it
        return body_text, answer.status, answer.headers


def _said(call: Callable[[], Any], *, identifier: str) -> Answer:
    """What became of one call that changes Stripe's books."""
    return _called(call, parse=partial(_about, identifier=identifier)).answer


def _called(call: Callable[[], Any], *, parse: Callable[[Any], Found]) -> Said[Found]:
    """What became of one call, and what it told. It is written down as open: nothing is raised past it."""
    try:
        said = call()
        return Said(answer=_accepted(said), found=parse(said))
    except stripe.StripeError as error:
        return Said(answer=_answer(error))
    except Exception as odd:  # noqa: BLE001 — whatever went wrong, the call may have been made
        return Said(answer=Answer(reach=Reach.MAYBE_SENT, message=clean(f"{type(odd).__name__}: {odd}")))


def _answer(error: stripe.StripeError) -> Answer:
    if isinstance(error, stripe.APIConnectionError):
        failed = error.__cause__
        is_sent = not isinstance(failed, CallFailed) or failed.is_sent
        return Answer(reach=Reach.MAYBE_SENT if is_sent else Reach.NOT_SENT, message=clean(error))
    status = error.http_status if isinstance(error.http_status, int) else None
    if status is None or status < REDIRECTED:  # a 2xx that cannot be read is no answer
        return Answer(reach=Reach.MAYBE_SENT, message=UNREADABLE)
    said, headers = error.error, error.headers or {}
    return Answer(
        reach=Reach.ANSWERED,
        status=status,
        type=clean(getattr(said, "type", None)),
        code=clean(getattr(said, "code", None)),
        message=clean(getattr(said, "message", None) or error.user_message),
        request_id=clean(error.request_id) or None,
        is_replayed=headers.get("Idempotent-Replayed") == "true",
        limited_reason=clean(headers.get("Stripe-Rate-Limited-Reason")),
    )


def _about(said: Any, *, identifier: str) -> str:
    about = getattr(said, "identifier", None) or getattr(getattr(said, "cancel", None), "identifier", None)
    if about != identifier:
        raise ValueError("Stripe answered 200 about something else")
    return identifier


def _accepted(said: Any) -> Answer:
    headers = said.last_response.headers
    return Answer(
        reach=Reach.ANSWERED,
        status=said.last_response.code,
        request_id=clean(said.last_response.request_id) or None,
        is_replayed=headers.get("Idempotent-Replayed") == "true",
    )


def _read_error(answer: Answer) -> StripeUnavailable | StripeRefused:
    text = f"{answer.message} ({answer.status or answer.reach}, request {answer.request_id or 'unknown'})"
    if answer.status in {401, 403}:
        return KeyRefused(text)
    if answer.code == "resource_missing":
        return NotFound(text)
    is_final = answer.status is not None and answer.status < SERVER_ERROR and answer.status not in {409, 429}
    return StripeRefused(text) if is_final else StripeUnavailable(text)


def _summary(found: Any) -> Summary:
    # A float by Stripe's schema: its shortest text is what was counted, up to float's own 15 digits.
    return Summary(
        start=datetime.fromtimestamp(found.start_time, UTC), value=Decimal(repr(found.aggregated_value)).normalize()
    )
