"""The doctor on clocks: ours against PostgreSQL's, Redis' and Stripe's.

Stripe refuses usage more than five minutes ahead, and a webhook more than five minutes off is refused here: a clock
that is a minute off already should not be left to drift on.
"""

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

import certifi
import psycopg
import redis

from service import doctor_ledger, doctor_redis
from service.findings import Finding, fail, fine
from service.http import CallFailed, Http
from service.settings import Settings

SKEW_MAX_S = 60
TIMEOUT_S = 3


def check_postgres(settings: Settings) -> list[Finding]:
    return examine_clock("PostgreSQL", _ahead_s(lambda: _read_postgres(settings.database_url)))


def check_redis(settings: Settings) -> list[Finding]:
    return examine_clock("Redis", _ahead_s(lambda: _read_redis(settings.redis_url)))


def check_stripe(settings: Settings) -> list[Finding]:
    return examine_clock("Stripe", _ahead_s(lambda: _read_stripe(settings.stripe_api_base)))


def examine_clock(whose: str, ahead_s: float | None) -> list[Finding]:
    """`ahead_s` tells by how much that clock is ahead of ours; None: it could not be read, another check's finding."""
    if ahead_s is None:
        return []
    if abs(ahead_s) <= SKEW_MAX_S:
        return [fine("clocks", f"ours and that of {whose} agree")]
    text = f"that of {whose} is {abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} ours"
    return [fail("clocks", text, "set both by NTP")]


def _ahead_s(read: Callable[[], float | None]) -> float | None:
    asked_at = time.time()
    theirs = read()
    # Between asking and hearing: half of it is the likeliest moment of their looking.
    return None if theirs is None else theirs - (asked_at + time.time()) / 2


def _read_postgres(url: str) -> float | None:
    if not url:
        return None
    try:
        with doctor_ledger.connect(url) as connection:
            found = connection.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()
    except psycopg.Error:
        return None
    return None if found is None else float(found[0])


def _read_redis(url: str) -> float | None:
    if not url:
        return None
    try:
        with doctor_redis.connect(url) as server:
            seconds, microseconds = server.time()
    except redis.RedisError:
        return None
    return float(seconds + microseconds / 1e6)


def _read_stripe(url: str) -> float | None:
    http = Http(connect_timeout_s=TIMEOUT_S, deadline_s=TIMEOUT_S, ca_bundle=certifi.where())
    try:
        answer = http.call("GET", url, headers={}, body=None)  # any answer tells the time, a refusal as well
    except CallFailed:
        return None
    date = answer.headers.get("Date")
    return None if date is None else parsedate_to_datetime(date).timestamp()
