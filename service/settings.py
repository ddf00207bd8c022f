"""What a deployment decides, read once from the environment; every wrong variable is reported at once.

Addresses and secrets have the names that hosts already use (DATABASE_URL, STRIPE_SECRET_KEY); our own choices start
with METERPOST_. `.env` in the working directory is read as well, so that a checkout works without exports.
"""

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from environs import Env, EnvValidationError
from marshmallow import ValidationError
from marshmallow.validate import OneOf, Range, Regexp

from service import crash_points
from service.timing import PROFILES, Timing
from service.unbilled import Unbilled
from service.variables import DOT_ENV, KNOWN, MEANINGS, OURS, SANDBOXES
from service.webhook_secrets import WebhookSecret, parse_secrets

STRIPE_API = "https://api.stripe.com"
STRIPE_METER_EVENTS = "https://meter-events.stripe.com"
SANDBOX_CALLS_PER_S = 25  # Stripe's own sandboxes, for everything; and the other endpoints of live mode
LIVE_METER_EVENTS_PER_S = 1_000
ALARM_SECRET_CHARS_MIN = 16
SIGNS = "signs what is posted, so that the receiver can tell it from what others send"
ADDRESS_WANTED = "an address https://… without a user is wanted, or http://127.0.0.1… on this machine"
HOLD_OFF = "off"
HOLD_S_MIN = 3600  # as long as Stripe leaves a draft open at least, so that less holds nothing
HOLD_S_MAX = 7 * 86_400  # a customer waits so long for the invoice
UNITS_S = {"m": 60, "h": 3600, "d": 86_400}
_HOLD = re.compile(r"[0-9]{1,5}[mhd]")
_KEY = r"^$|^(sk|rk)_(test|live)_\w+$"
_KEY_WANTED = "a secret or restricted key is wanted: sk_test_…, sk_live_…, rk_test_… or rk_live_…"


class SettingsInvalid(Exception):
    """The environment cannot be used; the text names every variable, what is wrong and what it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    account: str
    database_url: str = field(repr=False)
    broker_url: str = field(repr=False)  # rows until they are recorded: durable
    redis_url: str = field(repr=False)  # wake-ups and the limiter: disposable
    stripe_secret_key: str = field(repr=False)
    stripe_api_base: str
    stripe_meter_events_base: str
    webhook_secrets: tuple[WebhookSecret, ...] = field(repr=False)
    timing: Timing
    submit_threads: int
    calls_per_s: int  # everything but meter events
    meter_events_per_s: int
    is_only_writer: bool  # of our meters: what nobody else reports to can be read back
    log_format: str
    witness_file: Path | None = None
    log_level: str = "info"
    rate_card: Path | None = None
    unbilled: Unbilled = Unbilled.WARN
    hold_drafts_s: int = 0  # how long a period's draft is held open for its usage; 0: not at all
    alarm_url: str = field(default="", repr=False)  # its path may be a secret
    alarm_secret: str = field(default="", repr=False)

    @property
    def is_live_key(self) -> bool:
        """The key's mode, which its name tells."""
        return "_live_" in self.stripe_secret_key[:8]

    def require(self, *names: str) -> None:
        """Raise SettingsInvalid, naming all of these variables that are not set."""
        values = {
            "DATABASE_URL": self.database_url,
            "BROKER_URL": self.broker_url,
            "REDIS_URL": self.redis_url,
            "STRIPE_SECRET_KEY": self.stripe_secret_key,
            "STRIPE_WEBHOOK_SECRETS": self.webhook_secrets,
            "METERPOST_ALARM_URL": self.alarm_url,
        }
        missing = [name for name in names if not values[name]]
        if missing:
            raise SettingsInvalid(
                "\n".join(f"{name} is not set in the environment or .env: {MEANINGS[name]}" for name in missing)
            )


def load() -> Settings:
    """Settings from the environment and `.env`. Raises SettingsInvalid, which names every wrong variable."""
    env = Env(eager=False)
    if DOT_ENV.is_file():
        env.read_env(str(DOT_ENV.absolute()), recurse=False)
    _refuse_unknown_names()
    is_live = "_live_" in env.str("STRIPE_SECRET_KEY", "")
    read = _read(env, is_live=is_live)
    if is_live and crash_points.is_armed():
        raise SettingsInvalid(f"{crash_points.VARIABLE} is for tests alone: nothing starts so with a live key")
    try:
        env.seal()
    except EnvValidationError as invalid:
        raise SettingsInvalid(_as_sentences(invalid)) from None
    _refuse_alarm_secret(read["alarm_secret"], is_wanted=bool(read["alarm_url"]))
    return _settings(read)


def _read(env: Env, *, is_live: bool) -> dict[str, Any]:
    """Every variable with its rule; what is wrong is kept until all are read."""
    return {
        "database_url": env.str("DATABASE_URL", "", validate=_url("postgresql", "postgres")),
        "broker_url": env.str("BROKER_URL", "", validate=_url("redis", "rediss", "amqp", "amqps", "memory")),
        "redis_url": env.str("REDIS_URL", "", validate=_url("redis", "rediss", "unix")),
        "stripe_secret_key": env.str("STRIPE_SECRET_KEY", "", validate=Regexp(_KEY, error=_KEY_WANTED)),
        "stripe_api_base": env.str("STRIPE_API_BASE", STRIPE_API, validate=_url("https", "http")),
        "stripe_meter_events_base": env.str(
            "STRIPE_METER_EVENTS_BASE", STRIPE_METER_EVENTS, validate=_url("https", "http")
        ),
        "webhook_secrets": env.list("STRIPE_WEBHOOK_SECRETS", [], validate=_are_webhook_secrets),
        "timing": env.str("METERPOST_TIMING", "standard", validate=OneOf(list(PROFILES))),
        "submit_threads": env.int("METERPOST_SUBMIT_THREADS", 16, validate=Range(1, 256)),
        "calls_per_s": env.int("METERPOST_CALLS_PER_S", SANDBOX_CALLS_PER_S, validate=Range(1, 10_000)),
        "meter_events_per_s": env.int(
            "METERPOST_METER_EVENTS_PER_S",
            LIVE_METER_EVENTS_PER_S if is_live else SANDBOX_CALLS_PER_S,
            validate=Range(1, 100_000),
        ),
        "is_only_writer": env.bool("METERPOST_ONLY_WRITER", True),
        "witness_file": env.str("METERPOST_WITNESS_FILE", ""),
        "rate_card": env.str("METERPOST_RATE_CARD", ""),
        "unbilled": env.str("METERPOST_UNBILLED", Unbilled.WARN, validate=OneOf(list(Unbilled))),
        "hold_drafts_s": env.str("METERPOST_HOLD_DRAFTS", HOLD_OFF, validate=_is_hold),
        "alarm_url": env.str("METERPOST_ALARM_URL", "", validate=_is_alarm_url),
        "alarm_secret": env.str("METERPOST_ALARM_SECRET", ""),
        "log_format": env.str("METERPOST_LOG_FORMAT", "auto", validate=OneOf(["auto", "json", "console"])),
        "log_level": env.str("METERPOST_LOG_LEVEL", "info", validate=OneOf(["debug", "info", "warning", "error"])),
    }


def _settings(read: dict[str, Any]) -> Settings:
    return Settings(
        account="default",
        timing=PROFILES[read.pop("timing")],
        witness_file=Path(file) if (file := read.pop("witness_file")) else None,
        rate_card=Path(card) if (card := read.pop("rate_card")) else None,
        unbilled=Unbilled(read.pop("unbilled")),
        hold_drafts_s=hold_s(read.pop("hold_drafts_s")),
        webhook_secrets=parse_secrets(read.pop("webhook_secrets")),
        broker_url=read["broker_url"] or read["redis_url"],
        redis_url=read["redis_url"] or read["broker_url"],
        stripe_api_base=read.pop("stripe_api_base").rstrip("/"),
        stripe_meter_events_base=read.pop("stripe_meter_events_base").rstrip("/"),
        **{name: value for name, value in read.items() if name not in {"broker_url", "redis_url"}},
    )


def _refuse_unknown_names() -> None:
    for name in sorted(os.environ):
        if name.startswith(OURS) and not name.startswith(SANDBOXES) and name not in KNOWN:
            near = difflib.get_close_matches(name, KNOWN, n=1)
            meant = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(sorted(KNOWN))}"
            raise SettingsInvalid(f"{name} is not a setting{meant}")


def _url(*schemes: str) -> Regexp:
    return Regexp(rf"^$|^({'|'.join(schemes)})://", error=f"an address is wanted that starts with {schemes[0]}://")


def _is_alarm_url(url: str) -> None:
    """Alarms tell of customers and money: they cross no network in the open."""
    if not url:
        return
    try:
        found = urlsplit(url)
        is_address = bool(found.hostname) and found.username is None and found.port != 0
    except ValueError:
        raise ValidationError(ADDRESS_WANTED) from None
    if not is_address or not (found.scheme == "https" or (found.scheme == "http" and _is_loopback(found.hostname))):
        raise ValidationError(ADDRESS_WANTED)


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def _refuse_alarm_secret(secret: str, *, is_wanted: bool) -> None:
    """In words of its own, in which no colon follows the name: what would stand there is taken for the secret."""
    if not secret and is_wanted:
        raise SettingsInvalid(f"METERPOST_ALARM_SECRET is wanted with METERPOST_ALARM_URL, because it {SIGNS}")
    if secret and (len(secret) < ALARM_SECRET_CHARS_MIN or not secret.isascii() or not secret.isprintable()):
        wanted = f"{ALARM_SECRET_CHARS_MIN} or more printable ASCII characters"
        raise SettingsInvalid(f"METERPOST_ALARM_SECRET has to be {wanted}, because it {SIGNS}")


def hold_s(told: str) -> int:
    """Seconds of `off`, `90m` or `24h`."""
    return 0 if told == HOLD_OFF else int(told[:-1]) * UNITS_S[told[-1]]


def _is_hold(told: str) -> None:
    """A bare number is refused: 48 is two days to one reader and less than a minute to another."""
    if told != HOLD_OFF and not (_HOLD.fullmatch(told) and HOLD_S_MIN <= hold_s(told) <= HOLD_S_MAX):
        wanted = f"{HOLD_OFF} is wanted, or a time with its unit from 1h to 7d, such as 48h"
        raise ValidationError(f"{told[:20]!r} is no hold: {wanted}")


def _are_webhook_secrets(secrets: list[str]) -> None:
    try:
        parse_secrets(secrets)
    except ValueError as wrong:
        raise ValidationError(str(wrong)) from None


def _as_sentences(invalid: EnvValidationError) -> str:
    by_name = cast("Mapping[str, list[str]]", invalid.error_messages)
    return "\n".join(f"{name}: {' '.join(map(str, reasons))}" for name, reasons in by_name.items())
