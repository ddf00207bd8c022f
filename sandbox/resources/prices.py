"""Prices: per unit or tiered, licensed or metered; checked at creation, so that rating need not doubt them.

Tiers are left out of answers unless expanded (`expand[]=tiers`), as at Stripe; `expanding` asks for them here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext

from sandbox.billing.currencies import known
from sandbox.billing.periods import Interval
from sandbox.billing.rating import RatedLine, Tier, Transform, graduated, per_unit, volume
from sandbox.calls.call import Call
from sandbox.errors import ApiError, invalid, missing, no_such
from sandbox.pages import newest_first, page
from sandbox.parameters.params import Bounds, Params
from sandbox.resources.events import record
from sandbox.resources.meters import existing as existing_meter
from sandbox.resources.price_amounts import amount_from, tier_body, tiers_from, transform_body, transform_from
from sandbox.resources.products import Product, from_params, shelved
from sandbox.resources.products import existing as existing_product
from sandbox.wire import EXACT, JsonObject, decimal_text, whole_or_none

INTERVALS_MAX = {"day": 1_095, "week": 156, "month": 36, "year": 3}
"""Three years, in each unit."""
LOOKUP_KEY_MAX = 200
LOOKUP_KEYS_MAX = 10
TAX_BEHAVIORS = ("exclusive", "inclusive", "unspecified")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    interval: Interval
    usage_type: str
    meter: str | None

    def render(self) -> JsonObject:
        return {
            "interval": self.interval.unit,
            "interval_count": self.interval.count,
            "meter": self.meter,
            "trial_period_days": None,
            "usage_type": self.usage_type,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    id: str
    created: int
    livemode: bool
    active: bool
    currency: str
    product: str
    nickname: str | None
    lookup_key: str | None
    tax_behavior: str
    metadata: dict[str, str]
    recurring: Recurring | None
    unit_amount: Decimal | None
    tiers_mode: str | None
    tiers: tuple[Tier, ...]
    transform: Transform | None

    @property
    def is_metered(self) -> bool:
        return self.recurring is not None and self.recurring.usage_type == "metered"

    def rated(self, quantity: Decimal) -> list[RatedLine]:
        with localcontext(EXACT):
            match self.tiers_mode:
                case "graduated":
                    return graduated(quantity, self.tiers)
                case "volume":
                    return volume(quantity, self.tiers)
                case _:
                    return per_unit(quantity, self.unit_amount or Decimal(0), transform=self.transform)

    def render(self) -> JsonObject:
        return {
            "id": self.id,
            "object": "price",
            "active": self.active,
            "billing_scheme": "tiered" if self.tiers else "per_unit",
            "created": self.created,
            "currency": self.currency,
            "custom_unit_amount": None,
            "livemode": self.livemode,
            "lookup_key": self.lookup_key,
            "metadata": self.metadata,
            "nickname": self.nickname,
            "product": self.product,
            "recurring": self.recurring.render() if self.recurring else None,
            "tax_behavior": self.tax_behavior,
            "tiers_mode": self.tiers_mode,
            "transform_quantity": transform_body(self.transform),
            "type": "recurring" if self.recurring else "one_time",
            "unit_amount": whole_or_none(self.unit_amount),
            "unit_amount_decimal": None if self.unit_amount is None else decimal_text(self.unit_amount),
        }


def create(call: Call) -> JsonObject:
    product = _product(call)
    price = _from_params(call, product=product.id if isinstance(product, Product) else product)
    holder = _holder(call, price.lookup_key, except_for=price.id)
    call.params.nothing_else()
    if isinstance(product, Product):
        shelved(call, product)
    _let_go(call, holder)
    return _shelved(call, price, "price.created")


def retrieve(call: Call) -> JsonObject:
    call.params.nothing_else()
    return existing(call, call.id).render()


def update(call: Call) -> JsonObject:
    params, before = call.params, existing(call, call.id)
    price = replace(
        before,
        active=params.is_true("active") if "active" in params else before.active,
        nickname=params.text_or("nickname", before.nickname),
        lookup_key=_lookup_key(params) if "lookup_key" in params else before.lookup_key,
        tax_behavior=_new_tax_behavior(params, before.tax_behavior),
        metadata=params.metadata(before.metadata),
    )
    holder = _holder(call, price.lookup_key, except_for=price.id)
    params.nothing_else()
    _let_go(call, holder)
    return _shelved(call, price, "price.updated")


def list_page(call: Call) -> JsonObject:
    body = page(call, _wanted(call), Price.render)
    call.params.nothing_else()
    return body


def tiers_of(price: Price) -> list[JsonObject] | None:
    """What an answer tells where it is asked for a price's tiers."""
    return [tier_body(tier) for tier in price.tiers] or None


def existing(call: Call, identity: str, *, param: str = "id") -> Price:
    price = call.books.shelf(Price).get(identity)
    if price is None:
        raise no_such("price", identity, param=param)
    return price


def _from_params(call: Call, *, product: str) -> Price:
    params = call.params
    tiers_mode = params.choice("tiers_mode", ("graduated", "volume"))
    tiers = tiers_from(params, tiers_mode)
    return Price(
        id=call.books.ids.new("price"),
        created=call.now,
        livemode=call.books.livemode,
        active=params.is_true_by_default("active"),
        currency=known(params.required("currency"), param="currency"),
        recurring=_recurring(call) if "recurring" in params else None,
        nickname=params.text("nickname"),
        lookup_key=_lookup_key(params),
        tax_behavior=params.choice("tax_behavior", TAX_BEHAVIORS) or "unspecified",
        metadata=params.metadata(),
        unit_amount=None if tiers else amount_from(params, "unit_amount", is_required=True),
        tiers_mode=tiers_mode,
        tiers=tiers,
        transform=transform_from(params, has_tiers=bool(tiers)),
        product=product,
    )


def _product(call: Call) -> Product | str:
    """A product still to be shelved, when nothing else is wrong, or the id of one that exists."""
    params = call.params
    if "product_data" not in params:
        return existing_product(call, params.required("product"), param="product").id
    if "product" in params:
        raise invalid("You may only specify one of these parameters: product, product_data.", param="product_data")
    return from_params(call, params.group("product_data"))


def _lookup_key(params: Params) -> str | None:
    return params.text("lookup_key", length_max=LOOKUP_KEY_MAX)


def _holder(call: Call, lookup_key: str | None, *, except_for: str) -> Price | None:
    """The other price that has this lookup key and is to lose it; ApiError where it is not to."""
    transfers = call.params.is_true("transfer_lookup_key")
    for price in call.books.shelf(Price).values():
        if lookup_key is not None and price.lookup_key == lookup_key and price.id != except_for:
            if not transfers:
                raise invalid(f"A price (`{price.id}`) already uses that lookup key.", param="lookup_key")
            return price
    return None


def _let_go(call: Call, holder: Price | None) -> None:
    if holder is not None:
        _shelved(call, replace(holder, lookup_key=None), "price.updated")


def _shelved(call: Call, price: Price, kind: str) -> JsonObject:
    call.books.shelf(Price)[price.id] = price
    record(call.books, kind, price.render())
    return price.render()


def _new_tax_behavior(params: Params, before: str) -> str:
    wanted = params.choice("tax_behavior", TAX_BEHAVIORS) or before
    if before not in ("unspecified", wanted):
        raise invalid("You cannot change `tax_behavior` once it is set.", param="tax_behavior")
    return wanted


def _recurring(call: Call) -> Recurring:
    params = call.params.group("recurring")
    usage_type = params.choice("usage_type", ("licensed", "metered")) or "licensed"
    meter = params.text("meter")
    if usage_type == "metered" and meter is None:
        raise missing(params.named("meter"))
    if meter is not None and usage_type == "licensed":
        raise invalid("`recurring[meter]` needs `recurring[usage_type]` metered.", param=params.named("meter"))
    if meter is not None and not existing_meter(call, meter, param=params.named("meter")).is_active:
        raise ApiError(400, f"The meter {meter} is inactive.", param=params.named("meter"))
    unit = params.required_choice("interval", tuple(INTERVALS_MAX))
    interval = Interval(
        unit=unit,
        count=params.within("interval_count", 1, INTERVALS_MAX[unit]) or 1,
    )
    return Recurring(interval=interval, usage_type=usage_type, meter=meter)


def _wanted(call: Call) -> Iterable[Price]:
    wanted = _Wanted.asked(call.params)
    return (price for price in newest_first(call, Price) if wanted.has(price))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What a list of prices is narrowed to."""

    exact: tuple[tuple[str, str], ...]
    lookup_keys: list[str]
    created: Bounds | None

    @classmethod
    def asked(cls, params: Params) -> "_Wanted":
        recurring = params.group("recurring")
        texts = {name: params.text(name) for name in ("active", "product", "currency", "type")}
        texts |= {name: recurring.text(name) for name in ("interval", "usage_type", "meter")}
        lookup_keys = params.listed("lookup_keys")
        if len(lookup_keys) > LOOKUP_KEYS_MAX:
            raise invalid(f"You may list at most {LOOKUP_KEYS_MAX} lookup keys.", param="lookup_keys")
        exact = tuple((name, text) for name, text in texts.items() if text is not None)
        return cls(exact=exact, lookup_keys=lookup_keys, created=params.bounds("created"))

    def has(self, price: Price) -> bool:
        told = _told(price)
        if any(told.get(name) != text for name, text in self.exact):
            return False
        if self.lookup_keys and price.lookup_key not in self.lookup_keys:
            return False
        return self.created is None or self.created.hold(price.created)


def _told(price: Price) -> dict[str, str | None]:
    told: dict[str, str | None] = {
        "active": str(price.active).lower(),
        "product": price.product,
        "currency": price.currency,
        "type": "recurring" if price.recurring else "one_time",
    }
    if price.recurring is None:
        return told
    recurring = price.recurring
    return told | {
        "interval": recurring.interval.unit,
        "usage_type": recurring.usage_type,
        "meter": recurring.meter,
    }
