"""The commands that turn the knobs of a running sandbox: clock, fault, audit and settings."""

import json
from datetime import UTC, datetime
from typing import Any

import click

from sandbox.calls.fault_kinds import DISTRIBUTIONS, KINDS, REASONS, REJECTION_CODES
from sandbox.cli.client import Duration, ask, asks_a_sandbox, show
from sandbox.cli.journey import date, travel
from sandbox.clock import SPEED_MAX

DURATION = Duration()
INSTANT = click.DateTime(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"])


@click.group(
    epilog="""\b
Examples:
  meterpost-sandbox clock advance 31d
  meterpost-sandbox clock to 2026-02-01T00:00:00Z
  meterpost-sandbox clock run --speed 3600
"""
)
def clock() -> None:
    """Show the sandbox's clock, let it jump, stand still or run fast."""


@clock.command("show")
@asks_a_sandbox
def clock_show(url: str, *, is_json: bool) -> None:
    """Tell the time, the speed and what falls due next."""
    _tell_time(ask(url, "GET", "clock"), is_json=is_json)


@clock.command("advance")
@click.argument("duration", type=DURATION)
@asks_a_sandbox
def clock_advance(duration: int, url: str, *, is_json: bool) -> None:
    """Jump ahead by 90s, 36h or 31d, through everything that falls due on the way."""
    _tell_time(travel(url, tell=_on_the_way, advance=duration), is_json=is_json)


@clock.command("to")
@click.argument("instant", type=INSTANT, metavar="INSTANT")
@asks_a_sandbox
def clock_to(instant: datetime, url: str, *, is_json: bool) -> None:
    """Jump to an instant in UTC, as 2026-02-01T00:00:00Z. Backwards undoes nothing."""
    _tell_time(travel(url, tell=_on_the_way, to=int(instant.replace(tzinfo=UTC).timestamp())), is_json=is_json)


@clock.command("freeze")
@asks_a_sandbox
def clock_freeze(url: str, *, is_json: bool) -> None:
    """Let the clock stand still."""
    _tell_time(ask(url, "POST", "clock", frozen=True), is_json=is_json)


@clock.command("run")
@click.option("--speed", type=click.FloatRange(0, SPEED_MAX), default=1.0, show_default=True, help="Seconds for one.")
@asks_a_sandbox
def clock_run(speed: float, url: str, *, is_json: bool) -> None:
    """Let the clock run on from where it is."""
    _tell_time(ask(url, "POST", "clock", speed=speed), is_json=is_json)


@click.group(
    epilog="""\b
Examples:
  meterpost-sandbox fault add rate_limited --share 0.05 --reason global-rate
  meterpost-sandbox fault add reply_lost --path '/v1/billing/meter_events' --times 3
  meterpost-sandbox fault clear fault_1
"""
)
def fault() -> None:
    """Let calls go wrong: which, how, how often."""


@fault.command("list")
@asks_a_sandbox
def fault_list(url: str, *, is_json: bool) -> None:
    """List the faults, with how often each struck."""
    show(ask(url, "GET", "faults"), is_json=is_json)


@fault.command("add", epilog="\b\nKinds:\n" + "\n".join(f"  {name}: {kind.says}" for name, kind in KINDS.items()))
@click.argument("kind", type=click.Choice(list(KINDS)), metavar="KIND")
@click.option("--path", help="A pattern of paths; * stands for anything.")
@click.option("--method", help="A pattern of methods.")
@click.option("--account", help="A pattern of accounts.")
@click.option("--share", type=click.FloatRange(0, 1), help="Of the calls it strikes.")
@click.option("--seed", type=int, help="The same seed and calls draw the same faults.")
@click.option("--times", type=click.IntRange(0), help="How often it strikes before it ends.")
@click.option("--reason", type=click.Choice(REASONS), help="Of rate_limited.")
@click.option("--code", type=click.Choice(REJECTION_CODES), metavar="CODE", help="Of rejected_later.")
@click.option("--delay", "delay_s", type=float, help="Seconds, of latency.")
@click.option("--distribution", type=click.Choice(DISTRIBUTIONS), help="Of latency.")
@click.option("--sigma", type=float, help="Of lognormal latency.")
@click.option("--delay-max", "delay_max_s", type=float, help="Seconds that latency never exceeds.")
@click.option("--pace", "bytes_per_s", type=int, help="Bytes a second, of slow_drip.")
@click.option("--for", "for_s", type=float, help="Seconds, of connection_refused.")
@asks_a_sandbox
def fault_add(kind: str, url: str, *, is_json: bool, **fields: Any) -> None:
    """Add a fault of KIND."""
    show(ask(url, "POST", "faults", kind=kind, **fields), is_json=is_json)


@fault.command("clear")
@click.argument("identity", metavar="[ID]", required=False)
@click.option("--account", help="Only those of this account.")
@asks_a_sandbox
def fault_clear(identity: str | None, url: str, *, account: str | None, is_json: bool) -> None:
    """Remove one fault, those of an account, or all; list what is left."""
    show(ask(url, "DELETE", "faults", id=identity, account=account), is_json=is_json)


@click.group(
    epilog="""\b
Examples:
  meterpost-sandbox audit totals
  meterpost-sandbox audit calls --path /v1/billing/meter_events --limit 20
  meterpost-sandbox audit report --json
"""
)
def audit() -> None:
    """Read what was applied, and what became of every call."""


@audit.command("totals")
@click.option("--account")
@asks_a_sandbox
def audit_totals(url: str, *, account: str | None, is_json: bool) -> None:
    """What was applied, by account, customer and event name."""
    show({"data": ask(url, "GET", "audit", account=account)["totals"]}, is_json=is_json)


@audit.command("minutes")
@click.option("--account")
@click.option("--customer")
@click.option("--event-name")
@click.option("--since", type=int, help="Unix seconds.")
@asks_a_sandbox
def audit_minutes(url: str, *, is_json: bool, **fields: Any) -> None:
    """What was applied, by minute too."""
    show(ask(url, "GET", "audit/minutes", **fields), is_json=is_json)


@audit.command("calls")
@click.option("--account")
@click.option("--path")
@click.option("--customer")
@click.option("--event-name")
@click.option("--since", type=int, help="Unix seconds of the sandbox's clock.")
@click.option("--after", type=int, help="Only calls behind this number.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True)
@asks_a_sandbox
def audit_calls(url: str, *, is_json: bool, **fields: Any) -> None:
    """Every call with its request id, key, parameters, status and fate, oldest first."""
    show(ask(url, "GET", "audit/calls", **fields), is_json=is_json)


@audit.command("report")
@click.option("--account")
@asks_a_sandbox
def audit_report(url: str, *, account: str | None, is_json: bool) -> None:
    """All of the auditor's sums at once."""
    show(ask(url, "GET", "audit", account=account), is_json=is_json)


@click.group(
    epilog="""\b
Examples:
  meterpost-sandbox settings show
  meterpost-sandbox settings set limits=live summary_lag_s=60
"""
)
def settings() -> None:
    """Show and set the switches.

    They are about whatever Stripe leaves undocumented, about limits and windows.
    """


@settings.command("show")
@click.option("--account")
@asks_a_sandbox
def settings_show(url: str, *, account: str | None, is_json: bool) -> None:
    """Tell every switch."""
    show(ask(url, "GET", "settings", account=account), is_json=is_json)


@settings.command("set")
@click.argument("wanted", metavar="NAME=VALUE...", nargs=-1, required=True)
@click.option("--account", help="Only for this account; for all otherwise.")
@click.option("--live", is_flag=True, help="Of its live mode.")
@asks_a_sandbox
def settings_set(wanted: tuple[str, ...], url: str, *, account: str | None, live: bool, is_json: bool) -> None:
    """Set switches; tell those that were named, or all of them as JSON."""
    values = settings_of(wanted)
    told = ask(url, "POST", "settings", account=account, livemode=live or None, **values)
    show(told if is_json else {name: told[name] for name in values}, is_json=is_json)


def settings_of(wanted: tuple[str, ...]) -> dict[str, Any]:
    """`summary_lag_s=60` as {"summary_lag_s": 60}; what is no number or truth is a text."""
    values: dict[str, Any] = {}
    for each in wanted:
        name, equals, text = each.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{each!r} must read NAME=VALUE")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        values[name] = value
    return values


def _tell_time(told: dict[str, Any], *, is_json: bool) -> None:
    """With the instants as dates too, where people read it."""
    if not is_json:
        told = told | {name: date(told[name]) for name in ("now", "next_due") if told[name] is not None}
    show(told, is_json=is_json)


def _on_the_way(instant: str) -> None:
    click.echo(f"on the way, at {instant}", err=True)
