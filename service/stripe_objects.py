"""Stripe's objects as JSON, each read whole: what Stripe leaves out, or tells page by page, is asked for.

An invoice tells ten lines and a list of the rest, a subscription likewise its items, and a price no tiers unless asked.
Source: docs.stripe.com/api/pagination, /api/expanding_objects.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar

from service.mirrors import inner
from service.stripe_words import plain

Found = TypeVar("Found")


class Reads(Protocol):
    """As the gateway reads: limited, and with our exceptions."""

    def __call__(self, call: Callable[[], Any], *, parse: Callable[[Any], Found]) -> Found: ...


class Lists(Protocol):
    """As the gateway reads a list to its end."""

    def __call__(
        self, page: Callable[[Any], Any], params: Mapping[str, Any], *, parse: Callable[[Any], Found]
    ) -> list[Found]: ...


class StripeObjects:
    def __init__(self, client: Any, *, read: Reads, list_all: Lists) -> None:
        self._v1 = client.v1
        self._read = read
        self._list = list_all

    def retrieve(self, kind: str, object_id: str) -> dict[str, Any]:
        """An object of a kind that is mirrored. Raises StripeUnavailable, StripeRefused; NotFound: there is none."""
        return self.made_whole(kind, self._read(self._question(kind, object_id), parse=plain))

    def made_whole(self, kind: str, told: dict[str, Any]) -> dict[str, Any]:
        """`told` with the rest of its lines or items, where Stripe says that there are more."""
        match kind:
            case "invoice" if inner(told, "lines", "has_more") is True:
                page = partial(self._v1.invoices.line_items.list, told["id"])
                return _with_all(told, "lines", self._list(page, {}, parse=plain))
            case "subscription" if inner(told, "items", "has_more") is True:
                asked = {"subscription": told["id"]}
                return _with_all(told, "items", self._list(self._v1.subscription_items.list, asked, parse=plain))
            case _:
                return told

    def _question(self, kind: str, object_id: str) -> Callable[[], Any]:
        match kind:
            case "subscription":
                return partial(self._v1.subscriptions.retrieve, object_id)
            case "invoice":
                return partial(self._v1.invoices.retrieve, object_id)
            case "billing.meter":
                return partial(self._v1.billing.meters.retrieve, object_id)
            case "customer":
                return partial(self._v1.customers.retrieve, object_id)
            case "price":
                return partial(self._v1.prices.retrieve, object_id, {"expand": ["tiers"]})
            case _:
                raise AssertionError(f"no {kind} is mirrored")


def _with_all(told: dict[str, Any], members: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    return told | {members: told[members] | {"data": found, "has_more": False}}
