"""What Stripe's two destinations must be for the door at a URL, and what of it they are not. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from service.event_types import SNAPSHOT_TYPES, THIN_TYPES
from service.stripe_destinations import Destination, Style

EVERYTHING = "*"
TYPES = {Style.SNAPSHOT: SNAPSHOT_TYPES, Style.THIN: THIN_TYPES}


class Aspect(StrEnum):
    """What may differ."""

    ABSENT = "absent"
    TYPES_MISSING = "types missing"
    TYPES_SUPERFLUOUS = "types superfluous"
    API_VERSION = "API version"
    STATUS = "status"
    ANOTHER = "another of this URL"


REPAIRABLE = frozenset({Aspect.TYPES_MISSING, Aspect.TYPES_SUPERFLUOUS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that is not as it must be, and what to do."""

    aspect: Aspect
    text: str
    remedy: str


def choose_destination(found: Sequence[Destination], url: str, *, api_version: str) -> Destination | None:
    """The one that points to `url`; of several the one that comes nearest to what is wanted."""
    ours = [one for one in found if one.url == url]
    return min(ours, key=lambda one: len(differences(one, ours, api_version=api_version)), default=None)


def differences(
    destination: Destination | None, others: Sequence[Destination], *, api_version: str
) -> list[Difference]:
    """`others` are those found at Stripe, itself among them or not."""
    if destination is None:
        text = "Stripe has no such destination, so nothing of its kind is pushed"
        return [Difference(aspect=Aspect.ABSENT, text=text, remedy="meterpost webhooks setup without --check")]
    return [
        *_of_types(destination),
        *_of_version(destination, api_version),
        *_of_status(destination),
        *_of_others(destination, others),
    ]


def _of_types(destination: Destination) -> list[Difference]:
    wanted, told = set(TYPES[destination.style]), set(destination.types)
    remedy = "meterpost webhooks setup --repair"
    missing = sorted(wanted - told) if EVERYTHING not in told else []
    superfluous = sorted(told - wanted)
    return [
        Difference(aspect=aspect, text=f"{text}: {', '.join(types)}", remedy=remedy)
        for aspect, text, types in (
            (Aspect.TYPES_MISSING, "these are not pushed", missing),
            (Aspect.TYPES_SUPERFLUOUS, "these are pushed for nothing", superfluous),
        )
        if types
    ]


def _of_version(destination: Destination, api_version: str) -> list[Difference]:
    if destination.style is Style.THIN or destination.api_version == api_version:
        return []
    text = f"its events are told as of {destination.api_version or 'no version of its own'}, not {api_version}"
    remedy = "Stripe never changes it: make a new endpoint under another URL (?v=2 will do), then disable this one"
    return [Difference(aspect=Aspect.API_VERSION, text=text, remedy=remedy)]


def _of_status(destination: Destination) -> list[Difference]:
    if destination.is_enabled:
        return []
    remedy = "enable it in Stripe's Dashboard once the door answers, then meterpost events catch-up"
    return [Difference(aspect=Aspect.STATUS, text="it is disabled, so nothing is pushed", remedy=remedy)]


def _of_others(destination: Destination, others: Sequence[Destination]) -> list[Difference]:
    twins = [
        one.destination_id
        for one in others
        if one.url == destination.url and one.is_enabled and one.destination_id != destination.destination_id
    ]
    if not twins:
        return []
    text = f"{', '.join(twins)} push to this URL as well: each event comes as often, under another secret"
    return [Difference(aspect=Aspect.ANOTHER, text=text, remedy="delete all but one in Stripe's Dashboard")]
