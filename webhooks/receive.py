"""Step 7: webhook → event.

Limit, signature, shape, commit, and only then 200: a crash anywhere before the commit makes Stripe send again, and
after it the second delivery is counted. What a stranger sends gets a constant answer and leaves one line in the log.
Unknown types are recorded and get 200: one refused `invoice.created` would delay every invoice by up to three days.
"""

import time
from collections.abc import Sequence

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from service.crash_points import crash_point
from service.event_bodies import parse
from service.ledger import Ledger, LedgerUnavailable
from service.ledger.events import Event, record_event
from service.logs import say
from webhooks.answers import BAD_REQUEST, RECEIVED, UNAVAILABLE, answer
from webhooks.verify import Refusal, verify

BODY_BYTES_MAX = 256 * 1024  # Stripe's largest events have some tens of KB
READ_BYTES_MAX = BODY_BYTES_MAX + 1  # Flask cuts a chunked body off here in silence: the byte too many tells
PATH = "/stripe/webhook"


def receive_blueprint(ledger: Ledger, *, account: str, secrets: Sequence[str]) -> Blueprint:
    """The one route for Stripe, snapshot and thin events alike."""
    blueprint = Blueprint("receive", __name__)

    @blueprint.post(PATH, provide_automatic_options=False)
    def receive() -> Response:
        body = request.get_data(cache=False)
        if len(body) > BODY_BYTES_MAX:
            raise RequestEntityTooLarge
        verdict = verify(request.headers.get("Stripe-Signature"), body, secrets=secrets, now=time.time())
        if isinstance(verdict, Refusal):
            return _refuse(verdict)
        event = parse(body)
        if event is None:
            return _refuse("no event")
        return _record(ledger, account, event=event, secret_index=verdict.secret_index)

    return blueprint


def _refuse(reason: str) -> Response:
    say("event.refused", reason=reason)
    return answer(BAD_REQUEST)


def _record(ledger: Ledger, account: str, *, event: Event, secret_index: int) -> Response:
    try:
        with ledger.transaction() as tx:
            deliveries = record_event(tx, account, event)
            crash_point("receive.before_commit")
        crash_point("receive.after_commit")
    except LedgerUnavailable as away:
        say("worker.waiting", step="receive", reason=str(away))
        return answer(UNAVAILABLE)
    if deliveries is None:
        return _refuse("of the other mode than this ledger's account")
    name = "event.received" if deliveries == 1 else "event.duplicate"
    say(name, event_id=event.event_id, event_type=event.type, deliveries=deliveries, secret_index=secret_index)
    return answer(RECEIVED)
