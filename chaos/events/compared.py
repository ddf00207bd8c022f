"""What the mirrors say beside what Stripe says: every object, field by field, and every event."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from chaos.events.place import Place
from chaos.events.post import Post
from service.event_types import SNAPSHOT_TYPES

Objects = dict[tuple[str, str], dict[str, Any]]
EVENTS = "SELECT event_id, state, deliveries, reason FROM event"
MIRRORS = "SELECT kind, object_id, is_deleted, object FROM mirror"
COUNTS = """
SELECT
    (SELECT count(*) FROM subscription_item), (SELECT count(*) FROM invoice_line), (SELECT count(*) FROM object_reading)
"""
UNTOLD: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "customer": frozenset({"balance", "currency", "delinquent", "next_invoice_sequence"}),  # follow the invoices
        "invoice": frozenset({"webhooks_delivered_at"}),  # follows the deliveries
    }
)
"""Fields that change at Stripe without an event of the object."""
WRONGS_MAX = 20  # of a kind are told


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    events: int
    objects: dict[str, int]
    same_second: int  # events that share their object and second with another
    readings: int
    items: int
    lines: int
    wrongs: list[str]


def compared(place: Place, post: Post, told: list[dict[str, Any]]) -> Compared:
    wanted = [event for event in told if event["type"] in SNAPSHOT_TYPES]
    stripes, deleted = _at_stripe(place.v1), _deleted(wanted)
    items, lines, readings = place.ask(COUNTS)[0]
    mirrors = {(kind, object_id): (gone, found) for kind, object_id, gone, found in place.ask(MIRRORS)}
    wrongs = [
        *_wrong_events(place, post, wanted),
        *_wrong_objects(stripes, {key: found for key, (gone, found) in mirrors.items() if not gone}),
        *_named("not known as deleted", deleted - {key for key, (gone, _) in mirrors.items() if gone}),
        *_named("deleted only here", {key for key, (gone, _) in mirrors.items() if gone} - deleted),
        *_wrong_counts(stripes, items=items, lines=lines),
    ]
    return Compared(
        events=len(wanted),
        objects=dict(Counter(kind for kind, _ in stripes)),
        same_second=sum(count for count in _seconds(wanted).values() if count > 1),
        readings=readings,
        items=items,
        lines=lines,
        wrongs=wrongs,
    )


def _at_stripe(v1: Any) -> Objects:
    """All objects as Stripe has them now, whole."""
    found = {
        "subscription": v1.subscriptions.list({"limit": 100, "status": "all"}),
        "invoice": v1.invoices.list({"limit": 100}),
        "billing.meter": v1.billing.meters.list({"limit": 100}),
        "price": v1.prices.list({"limit": 100, "expand": ["data.tiers"]}),
        "customer": v1.customers.list({"limit": 100}),
    }
    objects = {
        (kind, one.id): one.to_dict(for_json=True)
        for kind, listed in found.items()
        for one in listed.auto_paging_iter()
    }
    for (kind, object_id), told in objects.items():
        if kind == "invoice" and told["lines"]["has_more"]:
            lines = v1.invoices.line_items.list(object_id, {"limit": 100}).auto_paging_iter()
            told["lines"] |= {"data": [line.to_dict(for_json=True) for line in lines], "has_more": False}
    return objects


def _deleted(wanted: list[dict[str, Any]]) -> set[tuple[str, str]]:
    gone = ("invoice.deleted", "customer.deleted", "price.deleted")
    objects = [event["data"]["object"] for event in wanted if event["type"] in gone]
    return {(told["object"], told["id"]) for told in objects}


def _wrong_events(place: Place, post: Post, wanted: list[dict[str, Any]]) -> Iterator[str]:
    known = {event_id: (state, deliveries, reason) for event_id, state, deliveries, reason in place.ask(EVENTS)}
    yield from _named("an event that is missing", {event["id"] for event in wanted} - known.keys())
    unapplied = {(event_id, state, reason) for event_id, (state, _, reason) in known.items() if state != "applied"}
    yield from _named("an event that was not applied", {one for one in unapplied if one[1] != "ignored"})
    yield from _named(
        "an event with a delivery that is not counted",
        {event_id for event_id, (_, count, _) in known.items() if count < post.delivered[event_id]},
    )
    yield from _named(
        "an event with a delivery that never was",
        {event_id for event_id, (_, count, _) in known.items() if count > post.attempts[event_id]},
    )


def _wrong_objects(stripes: Objects, mirrors: Objects) -> Iterator[str]:
    yield from _named("an object that is not mirrored", stripes.keys() - mirrors.keys())
    yield from _named("a mirror of nothing", mirrors.keys() - stripes.keys())
    differing = {
        (*key, field)
        for key in stripes.keys() & mirrors.keys()
        for field in (stripes[key].keys() | mirrors[key].keys()) - UNTOLD.get(key[0], frozenset())
        if stripes[key].get(field) != mirrors[key].get(field)
    }
    yield from _named("a field that is not as Stripe has it", differing)


def _wrong_counts(stripes: Objects, *, items: int, lines: int) -> Iterator[str]:
    at_stripe = sum(len(told["items"]["data"]) for (kind, _), told in stripes.items() if kind == "subscription")
    if items != at_stripe:
        yield f"{items} items of subscriptions are known, Stripe has {at_stripe}"
    at_stripe = sum(len(told["lines"]["data"]) for (kind, _), told in stripes.items() if kind == "invoice")
    if lines < at_stripe:  # deleted drafts keep theirs
        yield f"{lines} lines of invoices are known, Stripe has {at_stripe}"


def _named(wrong: str, found: set[Any]) -> Iterator[str]:
    yield from (f"{wrong}: {one}" for one in sorted(found, key=str)[:WRONGS_MAX])
    if len(found) > WRONGS_MAX:
        yield f"{wrong}: {len(found) - WRONGS_MAX} more"


def _seconds(wanted: list[dict[str, Any]]) -> Counter[tuple[str, int]]:
    return Counter((str(event["data"]["object"].get("id")), event["created"]) for event in wanted)
