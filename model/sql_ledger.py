"""A real ledger whose clock stands where a history puts it, with the workers that take its steps."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from random import Random
from typing import Any, cast

import psycopg

from model.facts import BEGIN, VALUE, moment
from model.rules import TIMING
from model.weather import Canary
from service.gateway import Gateway
from service.ledger import Ledger, Transaction, accounts
from service.ledger.events import DueEvent
from service.limiter import Unlimited
from workers._error_reports import Reporter
from workers._reading_back import Reader
from workers.submit import Submitter

NOBODY = cast("Gateway", None)  # the history itself plays Stripe; no step that is taken here calls it
STAND_STILL = """
    CREATE OR REPLACE FUNCTION ledger_now() RETURNS timestamptz LANGUAGE sql STABLE
    RETURN timestamptz '2026-01-01 00:00:00+00' + (SELECT ahead_by FROM ledger_clock)
"""
METER_EVENT = """
    WITH made AS (
        INSERT INTO meter_event
            (lane_id, meter_stripe_id, formula, bucket, stamped_at, value, entries, payload, is_unbilled, state, due_at,
             sealed_at, accepted_at)
        VALUES
            (%(lane)s, %(meter)s, 'sum', %(at)s, %(at)s, %(value)s, 1, '{}', false, %(state)s, %(due_at)s, %(at)s,
             %(accepted_at)s)
        RETURNING meter_event_id
    )
    INSERT INTO generation (meter_event_id, generation, identifier)
    SELECT meter_event_id, 1, new_identifier(meter_event_id, 1) FROM made
    RETURNING meter_event_id
"""
CANARY_ATTEMPT = """
    INSERT INTO attempt (lane_id, meter_event_id, generation, idempotency_key, fence, started_at, ended_at, outcome)
    VALUES (%(lane)s, %(meter_event)s, 1, 'canary', 1, %(called_at)s, %(accepted_at)s, 'accepted')
"""
FACTS = """
    SELECT
        m.state, m.generation, g.ambiguous_since, m.due_at, m.read_back_at, is_closed('me-' || m.meter_event_id),
        l.fence, l.due_at, l.lease_until,
        (
            SELECT coalesce(jsonb_agg(jsonb_build_array(
                a.generation, replace(a.idempotency_key, ag.identifier, 'mp-' || a.generation), a.fence,
                extract(epoch FROM a.started_at - %(begin)s)::int,
                extract(epoch FROM a.ended_at - %(begin)s)::int, a.outcome, a.code, a.status, a.is_replayed
            ) ORDER BY a.attempt_id), '[]')
            FROM attempt AS a
            JOIN generation AS ag USING (meter_event_id, generation)
            WHERE a.meter_event_id = m.meter_event_id
        ),
        (
            SELECT coalesce(jsonb_agg(jsonb_build_array(
                r.generation, extract(epoch FROM r.read_at - %(begin)s)::int, r.counted::int, r.verdict, r.canary_id
            ) ORDER BY r.reading_id), '[]')
            FROM reading AS r
            WHERE r.meter_event_id = m.meter_event_id
        )
    FROM meter_event AS m
    JOIN generation AS g USING (meter_event_id, generation)
    JOIN lane AS l USING (lane_id)
    WHERE m.meter_event_id = %(meter_event)s
"""


REPORTED = """
    WITH told AS (
        INSERT INTO event (account, event_id, type, is_live, created_at, body)
        VALUES (%(account)s, %(event)s, 'v1.billing.meter.error_report_triggered', false, ledger_now(), '')
    )
    SELECT identifier FROM generation WHERE (meter_event_id, generation) = (%(meter_event)s, %(generation)s)
"""
REPORT: dict[str, Any] = {
    "type": "v1.billing.meter.error_report_triggered",
    "object_id": None,
    "body": b"{}",
    "failures": 0,
    "is_of_our_mode": True,
    "stripe_account": None,
}


class Disagreement(AssertionError):
    """The model and the ledger differ after a step; the text says after which, and what each has."""


class Jitter(Random):
    """Answers what the model's lane has drawn for the same step."""

    def __init__(self) -> None:
        super().__init__(0)
        self.drawn: list[int] = []

    def uniform(self, a: float, b: float) -> float:
        drawn = self.drawn.pop(0) if self.drawn else None
        if drawn is None or not a <= drawn <= b:
            raise Disagreement(f"the ledger's step draws within {a} and {b}, the model's drew {drawn}")
        return drawn


class Rejecting:
    """A Stripe whose error report names one identifier."""

    def __init__(self, identifier: str) -> None:
        self._identifier = identifier

    def fetch_event(self, event_id: str) -> Any:
        sample = {"error_message": "No such customer", "request": {"identifier": self._identifier}}
        types = [{"code": "meter_event_customer_not_found", "error_count": 1, "sample_errors": [sample]}]
        window = {"validation_start": BEGIN.isoformat(), "validation_end": BEGIN.isoformat()}
        return {"id": event_id, "data": {"reason": {"error_count": 1, "error_types": types}, **window}}


class OneConnection(Ledger):
    """For steps taken one after the other: each statement commits, which saves a third of the ways to the server."""

    def __init__(self, database_url: str) -> None:
        self.connection = psycopg.connect(database_url, autocommit=True, options="-c timezone=UTC")

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        yield self.connection

    def close(self) -> None:
        self.connection.close()


class SqlLedger:
    """A real ledger and its workers' steps, one at a time, at whatever instant."""

    def __init__(self, database_url: str) -> None:
        self._ledger = OneConnection(database_url)
        self._watch = self._ledger.connection
        self._watch.execute(STAND_STILL.encode())
        self._stands_at: int | None = None
        self._numbers = itertools.count(1)
        self.jitter = Jitter()
        self.submitter = Submitter(
            self._ledger, NOBODY, Unlimited(), timing=TIMING, threads=1, stopping=threading.Event()
        )
        self.submitter._chance = self.jitter

    def close(self) -> None:
        self._ledger.close()

    def new_account(self) -> str:
        """An account of a history's own, so that histories share a ledger and nothing else."""
        account = f"history-{next(self._numbers)}"
        with self.at(0) as tx:
            accounts.pin_account(tx, account, stripe_account=f"acct_{account}", is_live=False)
        return account

    def reader(self, account: str) -> Reader:
        return Reader(self._ledger, NOBODY, account, timing=TIMING)

    def report(self, account: str, meter_event_id: int, generation: int) -> None:
        """Stripe reports that it rejected this generation, and `apply` acts on it."""
        event_id = f"evt_{next(self._numbers)}"
        told = {"account": account, "event": event_id, "meter_event": meter_event_id, "generation": generation}
        (identifier,) = self._watch.execute(REPORTED.encode(), told).fetchall()[0]
        due = DueEvent(**REPORT, event_id=event_id, created_at=BEGIN, claimed_at=BEGIN)
        Reporter(self._ledger, Rejecting(identifier), timing=TIMING).apply(account, due)

    @contextmanager
    def at(self, now: int) -> Iterator[Transaction]:
        self.stand(now)
        with self._ledger.transaction() as tx:
            yield tx

    def stand(self, now: int) -> None:
        if now != self._stands_at:
            self._watch.execute(b"UPDATE ledger_clock SET ahead_by = %s", [timedelta(seconds=now)])
            self._stands_at = now

    def make_lane(self, account: str, customer: str, *, due_at: datetime | None) -> int:
        made = self._watch.execute(
            b"INSERT INTO lane (account, customer, meter, due_at) VALUES (%s, %s, 'tokens', %s) RETURNING lane_id",
            [account, customer, due_at],
        )
        return int(made.fetchall()[0][0])

    def make_meter_event(self, lane_id: int, meter: str) -> int:
        """A sealed one, due at once."""
        return self._make(lane=lane_id, meter=meter, at=BEGIN, state="sealed", due_at=BEGIN, accepted_at=None)

    def make_canary(self, lane_id: int, meter: str, *, canary: Canary) -> int:
        accepted_at = moment(canary.accepted_at)
        made = self._make(lane=lane_id, meter=meter, at=BEGIN, state="confirmed", due_at=None, accepted_at=accepted_at)
        told = {"lane": lane_id, "meter_event": made, "called_at": moment(canary.called_at)}
        self._watch.execute(CANARY_ATTEMPT.encode(), {**told, "accepted_at": accepted_at})
        return made

    def facts(self, meter_event_id: int) -> list[Any]:
        found = self._watch.execute(FACTS.encode(), {"meter_event": meter_event_id, "begin": BEGIN})
        return list(found.fetchall()[0])

    def _make(self, **told: object) -> int:
        return int(self._watch.execute(METER_EVENT.encode(), {**told, "value": VALUE}).fetchall()[0][0])
