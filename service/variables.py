"""Every environment variable that meterpost reads, what it means, and where its present value comes from.

`meterpost config` prints this table with values, and `meterpost config --example` prints it as a `.env` to fill in; the
values themselves are read and checked in `settings.py`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from dotenv import dotenv_values

from service.redaction import mask, scrub
from service.webhook_secrets import WebhookSecret, parse_secrets

DOT_ENV = Path(".env")  # in the working directory, so that a checkout works without exports
OURS = "METERPOST_"
SANDBOXES = "METERPOST_SANDBOX_"  # of the command meterpost-sandbox, which is often used in the same shell


class Source(StrEnum):
    """Who decided a value."""

    ENVIRONMENT = "environment"
    DOT_ENV = ".env"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One variable. `default` is shown where none is set; `example` stands commented in the example."""

    name: str
    meaning: str
    default: str = ""
    example: str = ""
    is_secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """A variable as it holds now, fit to be shown: secrets are masked."""

    name: str
    value: str
    source: Source
    meaning: str


VARIABLES = (
    Variable(
        name="DATABASE_URL",
        meaning="the ledger: PostgreSQL 14 or later",
        example="postgresql://meterpost:secret@localhost:5432/meterpost",
    ),
    Variable(
        name="BROKER_URL",
        meaning="the queue of rows: Redis or Valkey with AOF always and noeviction; REDIS_URL if left out",
        example="redis://localhost:6379/0",
    ),
    Variable(
        name="REDIS_URL",
        meaning="wake-ups and the limiter, which may be lost; BROKER_URL if left out",
        example="redis://localhost:6379/1",
    ),
    Variable(
        name="STRIPE_SECRET_KEY",
        meaning="a secret or restricted key; the ledger keeps to its account and mode",
        example="sk_test_…",
        is_secret=True,
    ),
    Variable(
        name="STRIPE_WEBHOOK_SECRETS",
        meaning="signing secrets of the webhook endpoints, by commas; while one is rolled, the old one with its end",
        example="whsec_…,whsec_…@2026-12-01T00:00:00Z",
        is_secret=True,
    ),
    Variable(name="STRIPE_API_BASE", meaning="where Stripe's API is", default="https://api.stripe.com"),
    Variable(
        name="STRIPE_METER_EVENTS_BASE",
        meaning="where Stripe's meter event stream is",
        default="https://meter-events.stripe.com",
    ),
    Variable(
        name="METERPOST_TIMING", meaning="leases and waits: standard, or fast for tries and tests", default="standard"
    ),
    Variable(
        name="METERPOST_SUBMIT_THREADS",
        meaning="calls to Stripe at once, of one submit or subscribe process",
        default="16",
    ),
    Variable(
        name="METERPOST_METER_EVENTS_PER_S",
        meaning="meter events a second, of all processes together",
        default="1000 in live mode, else 25",
    ),
    Variable(
        name="METERPOST_CALLS_PER_S", meaning="other calls to Stripe a second, of all processes together", default="25"
    ),
    Variable(
        name="METERPOST_ONLY_WRITER",
        meaning="false: others report to our meters too, so what may have counted waits for a person",
        default="true",
    ),
    Variable(
        name="METERPOST_WITNESS_FILE",
        meaning="a file that lives on, apart from the ledger: tells of a restored ledger though Redis has forgotten",
        example="/var/lib/meterpost/witness.json",
    ),
    Variable(
        name="METERPOST_ALARM_URL",
        meaning="where alarms are posted, signed, as JSON: https, or http on this machine; none are if left out",
        example="https://example.com/alarms",
        is_secret=True,
    ),
    Variable(
        name="METERPOST_ALARM_SECRET",
        meaning="signs what is posted there: 16 characters or more, shared with the receiver alone",
        example="a long random text",
        is_secret=True,
    ),
    Variable(
        name="METERPOST_RATE_CARD",
        meaning="a file of what each metric costs (meterpost ratecard): units of rows and alarms' money go by it",
        example="/etc/meterpost/ratecard.toml",
    ),
    Variable(
        name="METERPOST_UNBILLED",
        meaning="usage that no subscription bills: warn (sent, and an alarm), hold (kept until one does), or send",
        default="warn",
    ),
    Variable(
        name="METERPOST_HOLD_DRAFTS",
        meaning="how long a period's draft invoice is held open until its usage is confirmed: off, or such as 24h",
        default="off",
    ),
    Variable(
        name="METERPOST_LOG_FORMAT", meaning="auto (console on a terminal, else json), json or console", default="auto"
    ),
    Variable(name="METERPOST_LOG_LEVEL", meaning="debug, info, warning or error", default="info"),
    Variable(
        name="METERPOST_END_WITH_PARENT",
        meaning="1: end when the program that started this one ends, as under make",
    ),
    Variable(
        name="METERPOST_CRASH_POINT",
        meaning="for tests alone: NAME:KIND[:NTH], where this process is to die; nothing starts so with a live key",
    ),
)
MEANINGS = {variable.name: variable.meaning for variable in VARIABLES}
KNOWN = frozenset(variable.name for variable in VARIABLES if variable.name.startswith(OURS))


def effective() -> list[Effective]:
    """Every variable with its present value, secrets masked, and who decided it."""
    written = dotenv_values(DOT_ENV) if DOT_ENV.is_file() else {}
    return [_effective(variable, written) for variable in VARIABLES]


def example() -> str:
    """A `.env` in which every line is a comment: what is uncommented is decided."""
    lines = [f"# {variable.meaning}\n#{variable.name}={variable.example or variable.default}" for variable in VARIABLES]
    return "\n\n".join(lines) + "\n"


def _effective(variable: Variable, written: Mapping[str, str | None]) -> Effective:
    value = os.environ.get(variable.name) or written.get(variable.name) or ""
    return Effective(
        name=variable.name,
        value=_shown(variable, value) if value else variable.default,
        source=_source(variable.name, value, written=written),
        meaning=variable.meaning,
    )


def _shown(variable: Variable, value: str) -> str:
    if variable.name == "STRIPE_WEBHOOK_SECRETS":
        return ", ".join(map(_told, parse_secrets(value.split(","))))
    return ", ".join(map(mask, value.split(","))) if variable.is_secret else scrub(value)


def _told(secret: WebhookSecret) -> str:
    """By its fingerprint, as events and the doctor speak of it."""
    until = f" until {secret.ends_at.isoformat()}" if secret.ends_at else ""
    return f"{mask(secret.value.decode())} {secret.fingerprint}{until}"


def _source(name: str, value: str, *, written: Mapping[str, str | None]) -> Source:
    if not value:
        return Source.DEFAULT
    # Reading `.env` puts its values into the environment, so equal values are its own.
    return Source.DOT_ENV if written.get(name) == value else Source.ENVIRONMENT
