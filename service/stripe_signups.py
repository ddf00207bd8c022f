"""What a subscription needs at Stripe: looked for, made, attached, created.

Each call is written down by whoever makes it, has a token already, and never raises: whatever happens becomes an
`Answer`, with what was found where it could be read. A list's further pages take tokens of their own.
Source: docs.stripe.com/api/subscriptions/create, /api/subscriptions/list, /api/tax_ids, /api/payment_methods/attach.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from service.mirrors import Json, id_of, inner, word
from service.mirrors.catalog import price_facts
from service.mirrors.subscriptions import ROW
from service.mirrors.values import members
from service.outcomes import Answer, Reach
from service.signup_guard import Listed
from service.stripe_words import plain

PAGE = 100
PAGES_MAX = 50  # of one customer's subscriptions, or of one's items: nobody has so many
CALL_ID = "X-Request-Id"

UNREADABLE = Answer(reach=Reach.MAYBE_SENT, message="Stripe's answer could not be read")

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said(Generic[Found]):
    """One call's end. `found` None: it did not succeed."""

    answer: Answer
    found: Found | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTold:
    """What must be known of a price before a subscription to it is created."""

    price: str
    meter_stripe_id: str | None
    usage_type: str | None
    currency: str | None
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxIdTold:
    type_: str
    value: str
    id_: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethodTold:
    customer: str | None  # whose it is; None: nobody's


class Calls(Protocol):
    """As the gateway calls: one call, whatever happens an answer. What cannot be read is no answer."""

    def __call__(self, call: Callable[[], Any], *, parse: Callable[[Any], Found]) -> Said[Found]: ...


class StripeSignups:
    """`call_id` is our name for each one call; `key` the idempotency key of what changes Stripe's books."""

    def __init__(self, client: Any, *, call: Calls, take: Callable[[], None]) -> None:
        self._v1 = client.v1
        self._call = call
        self._take = take

    def price(self, price: str, *, call_id: str) -> Said[PriceTold]:
        return self._call(partial(self._v1.prices.retrieve, price, {}, _options(call_id)), parse=_price)

    def subscriptions(self, customer: str, *, call_id: str) -> Said[list[Listed]]:
        """All of a customer's, ended ones too, each with all of its items."""
        asked = {"customer": customer, "status": "all"}
        said = self._all(self._v1.subscriptions.list, asked, call_id=call_id)
        listed = list[Listed]()
        for one in said.found or []:
            items = self._items(one, call_id=call_id)
            read = _listed(one, items.found or [])
            if items.found is None or read is None:
                return Said(answer=items.answer if items.found is None else UNREADABLE)
            listed.append(read)
        return Said(answer=said.answer, found=None if said.found is None else listed)

    def tax_ids(self, customer: str, *, call_id: str) -> Said[list[TaxIdTold]]:
        said = self._all(partial(self._v1.customers.tax_ids.list, customer), {}, call_id=call_id)
        read = [_tax_id(one) for one in said.found or []]
        if None in read:
            return Said(answer=UNREADABLE)
        found = [one for one in read if one is not None]
        return Said(answer=said.answer, found=None if said.found is None else found)

    def add_tax_id(self, customer: str, *, tax_id: tuple[str, str], key: str, call_id: str) -> Said[str]:
        asked = {"type": tax_id[0], "value": tax_id[1]}
        call = partial(self._v1.customers.tax_ids.create, customer, asked, _options(call_id, key=key))
        return self._call(call, parse=_id)

    def payment_method(self, payment_method: str, *, call_id: str) -> Said[PaymentMethodTold]:
        call = partial(self._v1.payment_methods.retrieve, payment_method, {}, _options(call_id))
        return self._call(call, parse=lambda found: PaymentMethodTold(customer=id_of(inner(plain(found), "customer"))))

    def attach(self, payment_method: str, *, customer: str, key: str, call_id: str) -> Said[str]:
        asked = {"customer": customer}
        call = partial(self._v1.payment_methods.attach, payment_method, asked, _options(call_id, key=key))
        return self._call(call, parse=_id)

    def make_product(self, product: str, *, name: str, key: str, call_id: str) -> Said[str]:
        """Under an id of ours: made twice it is there once, and the second is told so."""
        asked = {"id": product, "name": name}
        return self._call(partial(self._v1.products.create, asked, _options(call_id, key=key)), parse=_id)

    def create(self, creation: Mapping[str, Any], *, identifier: str, key: str, call_id: str) -> Said[str]:
        """The id of the subscription that was made."""
        call = partial(self._v1.subscriptions.create, dict(creation), _options(call_id, key=key))
        return self._call(call, parse=partial(_made, identifier=identifier))

    def _items(self, told: Json, *, call_id: str) -> Said[list[Json]]:
        found = members(inner(told, "items"))
        if found is not None and inner(told, "items", "has_more") is not True:
            return Said(answer=UNREADABLE, found=found)
        page = partial(self._after_token, self._v1.subscription_items.list)
        return self._all(page, {"subscription": id_of(told)}, call_id=call_id)

    def _all(self, page: Callable[..., Any], params: Mapping[str, Any], *, call_id: str) -> Said[list[Json]]:
        """A list to its end; its answer is the last page's."""
        asked, found = {**params, "limit": PAGE}, list[Json]()
        for number in range(PAGES_MAX):
            call = partial(page, asked, _options(call_id))
            said = self._call(partial(self._after_token, call) if number else call, parse=plain)
            listed = members(said.found)
            if listed is None:
                return Said(answer=said.answer if said.found is None else UNREADABLE)
            found += listed
            if inner(said.found, "has_more") is not True:
                return Said(answer=said.answer, found=found)
            asked = {**asked, "starting_after": id_of(listed[-1]) if listed else None}
        return Said(answer=UNREADABLE)

    def _after_token(self, call: Callable[..., Any], *arguments: Any) -> Any:
        self._take()
        return call(*arguments)


def _options(call_id: str, *, key: str | None = None) -> dict[str, Any]:
    options: dict[str, Any] = {"headers": {CALL_ID: call_id}}
    return options if key is None else options | {"idempotency_key": key}


def _id(found: Any) -> str:
    return _required(word(inner(plain(found), "id")), "id")


def _price(found: Any) -> PriceTold:
    told = plain(found)
    facts = price_facts(told)
    return PriceTold(
        price=_id(found),
        meter_stripe_id=facts.meter_stripe_id,
        usage_type=facts.usage_type,
        currency=facts.currency,
        is_active=facts.is_active is True,
    )


def _tax_id(told: Json) -> TaxIdTold | None:
    type_, value, id_ = word(inner(told, "type")), word(inner(told, "value")), id_of(told)
    return TaxIdTold(type_=type_, value=value, id_=id_) if type_ and value and id_ else None


def _listed(told: Json, items: list[Json]) -> Listed | None:
    """None: it cannot be read, and who knows what it bills."""
    subscription, status = id_of(told), word(inner(told, "status"))
    if subscription is None or status is None:
        return None
    meters = (word(inner(i, "price", "recurring", "meter")) or word(inner(i, "plan", "meter")) for i in items)
    return Listed(
        subscription=subscription,
        identifier=word(inner(told, "metadata", ROW)),
        status=status,
        meters=frozenset(meter for meter in meters if meter is not None),
    )


def _made(found: Any, *, identifier: str) -> str:
    told = plain(found)
    if inner(told, "object") != "subscription" or inner(told, "metadata", ROW) != identifier:
        raise ValueError("Stripe answered 200 about something else")
    return _required(word(inner(told, "id")), "id")


def _required(found: str | None, name: str) -> str:
    if found is None:
        raise ValueError(f"Stripe answered 200 without a readable {name}")
    return found
