"""The webhook endpoint as tutorials have it: Flask, `construct_event`, one insert. What the door is compared with.

It is given what it would have to be given in earnest: a pool of connections, the same statement, and a commit before it
answers. It counts no strangers, bounds nothing and logs nothing.
"""

import json
import os
from pathlib import Path

import stripe
from flask import Flask, Response, request
from psycopg_pool import ConnectionPool

INSERT = (Path(__file__).parent.parent / "service/sql/record_event.sql").read_bytes()


def create_app() -> Flask:
    app = Flask("plain")
    pool = ConnectionPool(os.environ["DATABASE_URL"], min_size=4, max_size=4, open=True)
    secret = os.environ["STRIPE_WEBHOOK_SECRETS"]

    @app.post("/stripe/webhook")
    def receive() -> Response:
        body = request.get_data()
        try:
            event = stripe.Webhook.construct_event(body, request.headers["Stripe-Signature"], secret)
        except (ValueError, stripe.SignatureVerificationError):
            return Response(status=400)
        told = {
            "account": "default",
            "event_id": event.id,
            "type": event.type,
            "api_version": event.api_version,
            "is_live": event.livemode,
            "created_at": event.created,
            "object_id": event.data.object["id"],
            "body": body,
            "verified_by": None,
            "lacking": None,
        }
        with pool.connection() as connection:
            connection.execute(INSERT.replace(b"%(created_at)s", b"to_timestamp(%(created_at)s)"), told)
        return Response(json.dumps({"received": True}), mimetype="application/json")

    return app
