"""Step 7: webhook → event.

Limit, signature, shape, commit, and only then 200: a crash anywhere before the commit makes Stripe send again, and
after it the second delivery is counted. What a stranger sends gets a constant answer and is counted
(`webhooks/strangers.py`). Unknown types, other accounts' events and old API versions are recorded and get 200: one
refused `invoice.created` would delay every invoice by up to three days, and `apply` can say why it ignores one.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from flask import Blueprint, Response, request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]  # gunicorn has no types
from werkzeug.exceptions import RequestEntityTooLarge

from service.crash_points import crash_point
from service.event_bodies import parse, parse_lacking
from service.ledger import Ledger, LedgerUnavailable
from service.ledger.events import Event, record_event
from service.logs import say
from service.webhook_secrets import WebhookSecret
from webhooks.answers import BAD_REQUEST, RECEIVED, UNAVAILABLE, answer
from webhooks.strangers import Reason, Strangers, Told
from webhooks.verify import Refusal, verify

BODY_BYTES_MAX = 256 * 1024  # Stripe's largest events have some tens of KB
READ_BYTES_MAX = BODY_BYTES_MAX + 1  # Flask cuts a chunked body off here in silence: the byte too many tells
PATH = "/stripe/webhook"
SIGNATURE = "Stripe-Signature"


def receive_blueprint(
    ledger: Ledger, *, account: str, secrets: Sequence[WebhookSecret], strangers: Strangers
) -> Blueprint:
    """The one route for Stripe, snapshot and thin events alike."""
    blueprint = Blueprint("receive", __name__)

    @blueprint.post(PATH, provide_automatic_options=False)
    def receive() -> Response:
        try:
            body = request.get_data(cache=False)
        except (ParseException, OSError):  # a chunk that is none, or a connection that broke off
            return refuse(Reason.UNREADABLE)
        if len(body) > BODY_BYTES_MAX:
            raise RequestEntityTooLarge
        verdict = verify(request.headers.get(SIGNATURE), body, secrets=secrets, now=time.time())
        if isinstance(verdict, Refusal):
            return refuse(verdict, body)
        event = parse(body) or parse_lacking(body, received_at=datetime.now(UTC))
        if event is None:
            return refuse(Reason.NO_EVENT, body)
        answered = _record(ledger, account, event=event, verified_by=verdict.verified_by)
        return answered or refuse(Reason.OTHER_MODE, body)

    def refuse(reason: Reason | Refusal, body: bytes = b"") -> Response:
        strangers.count(reason, lambda: told(body))
        return answer(BAD_REQUEST)

    return blueprint


def told(body: bytes = b"") -> Told:
    """What the request at hand told, for a sample."""
    return Told(
        remote_address=request.remote_addr or "",
        content_length=request.content_length,
        signature=request.headers.get(SIGNATURE, ""),
        body=body,
    )


def _record(ledger: Ledger, account: str, *, event: Event, verified_by: str) -> Response | None:
    """None: the event is of the other mode than the ledger's account, and is not recorded."""
    try:
        crash_point("receive.before_commit")
        with ledger.statement() as tx:
            deliveries = record_event(tx, account, event, verified_by=verified_by)
        crash_point("receive.after_commit")
    except LedgerUnavailable as away:
        say("worker.waiting", step="receive", reason=str(away))
        return answer(UNAVAILABLE)
    if deliveries is None:
        return None
    name = "event.received" if deliveries == 1 else "event.duplicate"
    say(name, event_id=event.event_id, event_type=event.type, deliveries=deliveries, verified_by=verified_by)
    return answer(RECEIVED)
