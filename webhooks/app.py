"""The door as gunicorn opens it: `webhooks.app:create_app()`.

What it cannot work without is asked at the start, in one sentence, and not at the first webhook. No Redis, no business
rules: a webhook is recorded, and `apply` does the rest.
"""

import time

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from service import logs
from service.ledger import Ledger
from service.logs import say
from service.settings import Settings, load
from webhooks.answers import refusal
from webhooks.health import health_blueprint
from webhooks.receive import READ_BYTES_MAX, receive_blueprint, told
from webhooks.strangers import Reason, Strangers

HEALTH = ("/live", "/ready")  # asked every few seconds: not worth a line
STRANGERS = "strangers"  # what gunicorn finds the counts by, for what never becomes a request
REASONS = {400: Reason.UNREADABLE, 404: Reason.PATH, 405: Reason.METHOD, 413: Reason.TOO_LARGE}


def create_app() -> Flask:
    """The application, from the environment. Raises SettingsInvalid."""
    settings = load()
    settings.require("DATABASE_URL", "STRIPE_WEBHOOK_SECRETS")
    logs.configure(process="web", log_format=settings.log_format, log_level=settings.log_level)
    return app_for(settings, Ledger(settings.database_url))


def app_for(settings: Settings, ledger: Ledger) -> Flask:
    """The application for these settings, recording into this ledger."""
    app = Flask("webhooks", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = READ_BYTES_MAX
    app.url_map.merge_slashes = False  # its redirects would repeat what was asked
    strangers = app.extensions[STRANGERS] = Strangers(ledger, settings.account)
    secrets = settings.webhook_secrets
    app.register_blueprint(receive_blueprint(ledger, account=settings.account, secrets=secrets, strangers=strangers))
    app.register_blueprint(health_blueprint(ledger, secrets=secrets))

    def refuse(error: HTTPException) -> Response:
        if error.code in REASONS:
            strangers.count(REASONS[error.code], told)
        return refusal(error)

    app.register_error_handler(HTTPException, refuse)
    app.before_request(_begin)
    app.after_request(_tell)
    return app


def _begin() -> None:
    g.began = time.monotonic()


def _tell(response: Response) -> Response:
    if request.path not in HEALTH:
        route = request.url_rule.rule if request.url_rule else None  # the path itself is a stranger's text
        duration_s = round(time.monotonic() - g.began, 6)
        say("request.answered", method=request.method, route=route, status=response.status_code, duration_s=duration_s)
    return response
