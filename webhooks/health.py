"""Whether the door stands (`/live`) and whether it can let anyone in (`/ready`).

Liveness asks nobody: restarting this process mends no PostgreSQL. Readiness names each check, for the person who asks
why no traffic comes.
"""

import time
from collections.abc import Sequence
from http import HTTPStatus

import psycopg
from flask import Blueprint, Response, jsonify

from service.ledger import Ledger, LedgerUnavailable
from service.migrate import MigrationEdited, pending
from service.webhook_secrets import WebhookSecret
from webhooks.answers import answer

OK = "ok"


def health_blueprint(ledger: Ledger, *, secrets: Sequence[WebhookSecret]) -> Blueprint:
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/live", provide_automatic_options=False)
    def live() -> Response:
        return answer(HTTPStatus.OK)

    @blueprint.get("/ready", provide_automatic_options=False)
    def ready() -> tuple[Response, HTTPStatus]:
        checks = _ledger_checks(ledger) | {"webhook_secret": _secret_check(secrets)}
        is_ready = all(found == OK for found in checks.values())
        return jsonify(ready=is_ready, checks=checks), HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE

    return blueprint


def _secret_check(secrets: Sequence[WebhookSecret]) -> str:
    """At this moment: a secret may have ended since the door was opened."""
    now_s = time.time()
    return OK if any(secret.is_in_force(now_s) for secret in secrets) else "none in force; set STRIPE_WEBHOOK_SECRETS"


def _ledger_checks(ledger: Ledger) -> dict[str, str]:
    try:
        with ledger.transaction() as tx:
            behind = _pending(tx)
    except LedgerUnavailable:
        return {"ledger": "unavailable", "migrations": "unknown"}
    return {"ledger": OK, "migrations": behind}


def _pending(tx: psycopg.Connection) -> str:
    try:
        behind = pending(tx)
    except MigrationEdited as edited:
        return str(edited)
    return f"behind: {', '.join(behind)}; run `meterpost migrate`" if behind else OK
