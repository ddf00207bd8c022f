"""The commands about webhooks: events made to happen, sent again, and deliveries that go wrong."""

import json
from typing import Any

import click

from sandbox.cli.client import Duration, ask, asks_a_sandbox, show
from sandbox.webhooks.delivery_faults import COPIES_MAX, SAYS
from sandbox.wire import JsonObject

DURATION = Duration()


class JsonText(click.ParamType[JsonObject]):
    """A JSON object, written out."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> JsonObject:
        if isinstance(value, dict):
            return value
        try:
            read = json.loads(value)
        except ValueError as wrong:
            self.fail(f"{value!r} is no JSON: {wrong}", param, ctx)
        if not isinstance(read, dict):
            self.fail(f"{value!r} is no JSON object", param, ctx)
        return read


@click.group(
    epilog="""\b
Examples:
  meterpost-sandbox webhook trigger invoice.created --object '{"id": "in_1", "object": "invoice"}'
  meterpost-sandbox webhook deliveries
  meterpost-sandbox webhook deliver evt_1 --times 2
  meterpost-sandbox webhook fault add shuffle --type 'invoice.*' --delay 10m
"""
)
def webhook() -> None:
    """Make events happen, send them, let deliveries fail."""


@webhook.command("deliveries")
@click.option("--account", help="Only those of this account.")
@asks_a_sandbox
def webhook_deliveries(url: str, *, account: str | None, is_json: bool) -> None:
    """List every attempt to deliver an event, with its answer."""
    show(ask(url, "GET", "deliveries", account=account), is_json=is_json)


@webhook.command("trigger")
@click.argument("event_type", metavar="TYPE")
@click.option("--object", "subject", type=JsonText(), default="{}", show_default=True, help="What it is about.")
@click.option("--account", help="Whose event it is.")
@click.option("--live", is_flag=True, help="Of its live mode.")
@asks_a_sandbox
def webhook_trigger(event_type: str, url: str, *, subject: JsonObject, live: bool, is_json: bool, **more: Any) -> None:
    """Make a snapshot event of TYPE happen."""
    show(ask(url, "POST", "events", type=event_type, object=subject, livemode=live, **more), is_json=is_json)


@webhook.command("trigger-thin")
@click.argument("event_type", metavar="TYPE")
@click.option("--related-object", type=JsonText(), help="Its id, type and url.")
@click.option("--data", type=JsonText(), help="What the fetched event tells.")
@click.option("--account", help="Whose event it is.")
@click.option("--live", is_flag=True, help="Of its live mode.")
@asks_a_sandbox
def webhook_trigger_thin(event_type: str, url: str, *, live: bool, is_json: bool, **more: Any) -> None:
    """Make a thin event of TYPE happen."""
    show(ask(url, "POST", "core_events", type=event_type, livemode=live, **more), is_json=is_json)


@webhook.command("deliver")
@click.argument("event", metavar="EVENT")
@click.option("--times", type=click.IntRange(1, 100), default=1, show_default=True, help="How often, all at once.")
@asks_a_sandbox
def webhook_deliver(event: str, url: str, *, times: int, is_json: bool) -> None:
    """Send EVENT once more, to every endpoint that wants it."""
    show(ask(url, "POST", "deliver", event=event, times=times), is_json=is_json)


@webhook.command("resend")
@click.argument("event", metavar="EVENT")
@click.argument("endpoint", metavar="ENDPOINT")
@asks_a_sandbox
def webhook_resend(event: str, endpoint: str, url: str, *, is_json: bool) -> None:
    """Send EVENT once more, to one ENDPOINT."""
    show(ask(url, "POST", "resend", event=event, endpoint=endpoint), is_json=is_json)


@webhook.command("roll-secret")
@click.argument("endpoint", metavar="ENDPOINT")
@click.option("--expires-in", type=DURATION, default="0s", show_default=True, help="How long the old one signs along.")
@asks_a_sandbox
def webhook_roll_secret(endpoint: str, url: str, *, expires_in: int, is_json: bool) -> None:
    """Give ENDPOINT a new secret."""
    show(ask(url, "POST", "roll_secret", endpoint=endpoint, expires_in=expires_in), is_json=is_json)


@webhook.group("fault")
def webhook_fault() -> None:
    """Let deliveries go wrong: which, how, how often."""


@webhook_fault.command("list")
@asks_a_sandbox
def webhook_fault_list(url: str, *, is_json: bool) -> None:
    """List the faults of deliveries."""
    show(ask(url, "GET", "delivery_faults"), is_json=is_json)


@webhook_fault.command("add", epilog="\b\nKinds:\n" + "\n".join(f"  {name}: {says}" for name, says in SAYS.items()))
@click.argument("kind", type=click.Choice(list(SAYS)), metavar="KIND")
@click.option("--type", help="A pattern of event types; * stands for anything.")
@click.option("--account", help="A pattern of accounts.")
@click.option("--share", type=click.FloatRange(0, 1), help="Of the deliveries it strikes.")
@click.option("--seed", type=int, help="The same seed and events draw the same faults.")
@click.option("--times", type=click.IntRange(0), help="How often it strikes before it ends.")
@click.option("--copies", type=click.IntRange(1, COPIES_MAX), help="Of duplicate: how many more.")
@click.option("--delay", "delay_s", type=DURATION, help="Of duplicate, delay and shuffle, on the sandbox's clock.")
@asks_a_sandbox
def webhook_fault_add(kind: str, url: str, *, is_json: bool, **fields: Any) -> None:
    """Add a fault of KIND."""
    show(ask(url, "POST", "delivery_faults", kind=kind, **fields), is_json=is_json)


@webhook_fault.command("clear")
@click.option("--account", help="Only those of this account.")
@asks_a_sandbox
def webhook_fault_clear(url: str, *, account: str | None, is_json: bool) -> None:
    """Remove the faults of an account, or all; list what is left."""
    show(ask(url, "DELETE", "delivery_faults", account=account), is_json=is_json)
