"""How the commands of events read their arguments, and how an event is shown."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import click

from cli.letters import SinceParameter
from service.ledger.accounts import PinnedAccount
from service.ledger.event_story import ToldEvent, WantedEvents
from service.letters import EVENT_ID

STATES = ("received", "applied", "ignored", "failed")
DASHBOARD = "https://dashboard.stripe.com"
PAGES = {  # of Stripe's Dashboard, by how the object's id begins
    "sub": "subscriptions",
    "in": "invoices",
    "cus": "customers",
    "price": "prices",
    "prod": "products",
    "mtr": "meters",
}
Command = TypeVar("Command", bound=Callable[..., Any])


class EventParameter(click.ParamType[str]):
    """The id of an event, as Stripe has it or as the desk does."""

    name = "event"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).removeprefix("ev-")
        if not EVENT_ID.fullmatch(text):
            self.fail(f"{str(value)[:60]!r} is no event's id; one is evt_1NG8Du2eZvKYlo2CUI79vXWy", param, ctx)
        return text


class TypeParameter(click.ParamType[str]):
    name = "type"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not re.fullmatch(r"[a-z0-9_.]{1,100}\*?", str(value)) and value != "*":
            self.fail(
                f"{str(value)[:60]!r} is no event type; one is invoice.created, or several: 'invoice.*'", param, ctx
            )
        return str(value)


def event_filter_options(command: Command) -> Command:
    """Which events: all of these that are given must fit."""
    for option in (
        click.option("--until", type=SinceParameter(), help="Received before: 2h, 7d, an instant."),
        click.option("--since", type=SinceParameter(), help="Received since then: 2h, 7d, an instant."),
        click.option("--object", "object_id", help="The id of what it is about: in_…, sub_…, cus_…"),
        click.option("--state", type=click.Choice(STATES), help="What became of it."),
        type_option("An event type, or several: 'invoice.*'."),
    ):
        command = option(command)
    return command


def type_option(meaning: str) -> Callable[[Command], Command]:
    return click.option("--type", "of_type", type=TypeParameter(), help=meaning)


def wanted_events_of(
    *,
    of_type: str | None,
    state: str | None,
    object_id: str | None,
    since: datetime | timedelta | None,
    until: datetime | timedelta | None,
    is_missed: bool,
    now: datetime,
) -> WantedEvents:
    return WantedEvents(
        type=of_type,
        state=state,
        object_id=object_id,
        since=instant_of(since, now=now),
        until=instant_of(until, now=now),
        is_missed=is_missed,
    )


def instant_of(told: datetime | timedelta | None, *, now: datetime) -> datetime | None:
    """An age counts back from the ledger's present."""
    return now - told if isinstance(told, timedelta) else told


def row_of(event: ToldEvent) -> tuple[object, ...]:
    return (
        event.event_id,
        event.type,
        event.state,
        event.object_id,
        event.created_at,
        event.received_at,
        how(event),
        event.reason,
    )


def how(event: ToldEvent) -> str:
    """How it came."""
    if event.deliveries == 0:
        return "found in Stripe's list, never pushed"
    times = "once" if event.deliveries == 1 else f"{event.deliveries:,} times"
    return f"pushed {times}" if event.found_by is None else f"found in Stripe's list, then pushed {times}"


def dashboard_links(event: ToldEvent, account: PinnedAccount | None) -> dict[str, str]:
    """Where Stripe's Dashboard shows the event, and its object where it has a page for it."""
    place = f"{DASHBOARD}/{account.stripe_account}" if account else DASHBOARD
    base = place if event.is_live else f"{place}/test"
    links = {"event": f"{base}/events/{event.event_id}"}
    prefix = (event.object_id or "").partition("_")[0]
    return links | ({"object": f"{base}/{PAGES[prefix]}/{event.object_id}"} if prefix in PAGES else {})
