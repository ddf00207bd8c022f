"""What is missing or unsafe in a deployment: independent checks, each a few findings with their remedy.

Nothing is changed and nothing is counted on: a check that cannot look says so, one that takes too long is given up, and
the others go on.
"""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for

from service import (
    doctor_alarms,
    doctor_clocks,
    doctor_desk,
    doctor_drafts,
    doctor_events,
    doctor_ledger,
    doctor_ratecard,
    doctor_redis,
    doctor_stripe,
    doctor_webhooks,
)
from service.findings import Finding, Severity, fail, fine, warn
from service.redaction import scrub
from service.settings import Settings, SettingsInvalid, load
from service.witness import FileWitness, WitnessUnreadable

DEADLINE_S = 5  # for all checks, which run at once

Check = Callable[[Settings], list[Finding]]

CHECKS: Mapping[str, Check] = {
    "queue": doctor_redis.check_broker,
    "wake-ups": doctor_redis.check_wakeups,
    "ledger": doctor_ledger.check_ledger,
    "desk": doctor_desk.check_desk,
    "alarms": doctor_alarms.check_alarms,
    "drafts": doctor_drafts.check_drafts,
    "clocks, PostgreSQL": doctor_clocks.check_postgres,
    "clocks, Redis": doctor_clocks.check_redis,
    "clocks, Stripe": doctor_clocks.check_stripe,
    "stripe": doctor_stripe.check_stripe,
    "rate card": doctor_ratecard.check_rate_card,
    "webhooks": doctor_webhooks.check_webhooks,
    "events": doctor_events.check_events,
}


def examine() -> list[Finding]:
    """Every finding, in the order of the checks. Settings that cannot be read are the only finding."""
    try:
        settings = load()
    except SettingsInvalid as invalid:
        return [fail("settings", line, "correct the variable; see meterpost config") for line in _lines(invalid)]
    return [*check_settings(settings), *check_witness(settings), *run(CHECKS, settings)]


def could_run(findings: list[Finding]) -> bool:
    """Whether anything but the settings was looked at."""
    return any(finding.name not in {"settings", "witness file"} for finding in findings)


def check_settings(settings: Settings) -> list[Finding]:
    if settings.is_live_key and settings.timing.call_deadline_s < settings.timing.connect_timeout_s * 4:
        return [
            warn("settings", "METERPOST_TIMING is fast with a live key", "leave METERPOST_TIMING out, or say standard")
        ]
    return [fine("settings", "every variable can be used")]


def check_witness(settings: Settings) -> list[Finding]:
    """Asked as the user that runs the doctor, which is to be the one that runs submit."""
    file = settings.witness_file
    if file is None:
        return [fine("witness file", "none: Redis alone remembers the newest call (METERPOST_WITNESS_FILE)")]
    try:
        FileWitness(file).read()
    except WitnessUnreadable as unusable:
        return [fail("witness file", str(unusable), "correct METERPOST_WITNESS_FILE; nothing is sent meanwhile")]
    if not os.access(file.parent, os.W_OK):
        text = f"{file.parent} is closed to this user, so no call could be remembered in it"
        return [fail("witness file", text, "let the user of submit write there; nothing is sent meanwhile")]
    return [fine("witness file", f"{file} can be kept")]


def run(checks: Mapping[str, Check], settings: Settings, *, deadline_s: float = DEADLINE_S) -> list[Finding]:
    """All checks at once, their findings in order."""
    pool = ThreadPoolExecutor(max_workers=len(checks))
    running = {name: pool.submit(check, settings) for name, check in checks.items()}
    wait_for(running.values(), timeout=deadline_s)
    pool.shutdown(wait=False, cancel_futures=True)
    return [finding for name, future in running.items() for finding in _findings(name, future, deadline_s)]


def _findings(name: str, future: Future[list[Finding]], deadline_s: float) -> list[Finding]:
    if not future.done():
        return [fail(name, f"no answer within {deadline_s:.0f} s", "look at the network between here and there")]
    error = future.exception()
    if error is None:
        return future.result()
    return [fail(name, f"could not be checked: {type(error).__name__}: {scrub(str(error))}", "report this")]


def _lines(invalid: SettingsInvalid) -> list[str]:
    return scrub(str(invalid)).splitlines()


__all__ = ["CHECKS", "Finding", "Severity", "check_settings", "could_run", "examine", "run"]
