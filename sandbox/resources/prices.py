"""Prices: per unit or tiered, licensed or metered; checked at creation, so that rating need not doubt them.

Tiers are left out of answers unless expanded (`expand[]=tiers`), as at Stripe.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, localcontext

from sandbox.call import Call
from sandbox.errors import ApiError, invalid, missing, no_such
from sandbox.pages import is_within, newest_first, page
from sandbox.params import Params
from sandbox.periods import Interval
from sandbox.rating import RatedLine, Tier, Transform, graduated, per_unit, volume
from sandbox.resources import products
from sandbox.resources.events import emit
from sandbox.resources.meters import existing as existing_meter
from sandbox.wire import EXACT, JsonObject, decimal_text, whole_or_none

INTERVALS_MAX = {"day": 1_095, "week": 156, "month": 36, "year": 3}
"""Three years, in each unit."""
DIVIDE_BY_MAX = 10**15


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
            "tax_behavior": "unspecified",
            "tiers_mode": self.tiers_mode,
            "transform_quantity": _transform_body(self.transform),
            "type": "recurring" if self.recurring else "one_time",
            "unit_amount": whole_or_none(self.unit_amount),
            "unit_amount_decimal": None if self.unit_amount is None else decimal_text(self.unit_amount),
        }


def create(call: Call) -> JsonObject:
    price = _from_params(call)
    call.books.shelf(Price)[price.id] = price
    emit(call, "price.created", price.render())
    return _rendered(price, tiers_wanted="tiers" in call.params.listed("expand"))


def retrieve(call: Call) -> JsonObject:
    return _rendered(existing(call, call.id), tiers_wanted="tiers" in call.params.listed("expand"))


def list_page(call: Call) -> JsonObject:
    tiers_wanted = "data.tiers" in call.params.listed("expand")
    return page(call, _wanted(call), lambda price: _rendered(price, tiers_wanted=tiers_wanted))


def existing(call: Call, identity: str, *, param: str = "id") -> Price:
    price = call.books.shelf(Price).get(identity)
    if price is None:
        raise no_such("price", identity, param=param)
    return price


def _from_params(call: Call) -> Price:
    params = call.params
    tiers_mode = params.choice("tiers_mode", ("graduated", "volume"))
    tiers = _tiers(params, tiers_mode)
    return Price(
        id=call.books.ids.new("price"),
        created=call.now,
        livemode=call.books.livemode,
        active=params.text("active") != "false",
        currency=params.required("currency").lower(),
        recurring=_recurring(call) if "recurring" in params else None,
        nickname=params.text("nickname"),
        lookup_key=params.text("lookup_key"),
        metadata=params.texts("metadata"),
        unit_amount=None if tiers else _amount(params, "unit_amount", is_required=True),
        tiers_mode=tiers_mode,
        tiers=tiers,
        transform=_transform(params, has_tiers=bool(tiers)),
        product=_product(call),  # last: a refused price must not leave its product behind
    )


def _product(call: Call) -> str:
    if "product_data" in call.params:
        return products.shelved(call, call.params.group("product_data")).id
    return products.existing(call, call.params.required("product"), param="product").id


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


def _tiers(params: Params, tiers_mode: str | None) -> tuple[Tier, ...]:
    if params.choice("billing_scheme", ("per_unit", "tiered")) != "tiered":
        if "tiers" in params or tiers_mode:
            raise invalid("`tiers` can only be set with `billing_scheme=tiered`.", param="tiers")
        return ()
    if tiers_mode is None:
        raise missing("tiers_mode")
    tiers = tuple(_tier(group) for group in params.groups("tiers"))
    if not tiers:
        raise missing("tiers")
    _check_ends(tiers)
    return tiers


def _tier(params: Params) -> Tier:
    up_to = params.required("up_to")
    unit_amount = _amount(params, "unit_amount", is_required=False)
    flat_amount = _amount(params, "flat_amount", is_required=False)
    if unit_amount is None and flat_amount is None:
        raise missing(params.named("unit_amount"))
    return Tier(
        up_to=None if up_to == "inf" else params.required_integer("up_to"),
        unit_amount=unit_amount or Decimal(0),
        flat_amount=flat_amount or Decimal(0),
    )


def _check_ends(tiers: tuple[Tier, ...]) -> None:
    ends = [tier.up_to for tier in tiers[:-1]]
    if tiers[-1].up_to is not None:
        raise invalid("The last tier must have `up_to` set to `inf`.", param="tiers")
    if any(end is None or end <= below for end, below in zip(ends, [0, *ends], strict=False) if below is not None):
        raise invalid("`up_to` must rise from tier to tier, and only the last may be `inf`.", param="tiers")


def _amount(params: Params, name: str, *, is_required: bool) -> Decimal | None:
    whole, exact = params.integer(name), params.decimal(f"{name}_decimal")
    if whole is not None and exact is not None:
        raise invalid(f"You may only specify one of {name} and {name}_decimal.", param=params.named(name))
    if whole is None and exact is None and is_required:
        raise missing(params.named(name))
    return exact if whole is None else Decimal(whole)


def _transform(params: Params, *, has_tiers: bool) -> Transform | None:
    if "transform_quantity" not in params:
        return None
    if has_tiers:
        raise invalid("`transform_quantity` cannot be combined with `tiers`.", param="transform_quantity")
    group = params.group("transform_quantity")
    group.required("divide_by")
    divide_by = group.within("divide_by", 1, DIVIDE_BY_MAX) or 1
    return Transform(divide_by=divide_by, rounds_up=group.required_choice("round", ("up", "down")) == "up")


def _rendered(price: Price, *, tiers_wanted: bool) -> JsonObject:
    if not tiers_wanted or not price.tiers:
        return price.render()
    return price.render() | {"tiers": [_tier_body(tier) for tier in price.tiers]}


def _tier_body(tier: Tier) -> JsonObject:
    return {
        "flat_amount": whole_or_none(tier.flat_amount) or None,
        "flat_amount_decimal": decimal_text(tier.flat_amount) if tier.flat_amount else None,
        "unit_amount": whole_or_none(tier.unit_amount),
        "unit_amount_decimal": decimal_text(tier.unit_amount),
        "up_to": tier.up_to,
    }


def _transform_body(transform: Transform | None) -> JsonObject | None:
    if transform is None:
        return None
    return {"divide_by": transform.divide_by, "round": "up" if transform.rounds_up else "down"}


def _wanted(call: Call) -> Iterable[Price]:
    active = call.params.choice("active", ("true", "false"))
    product = call.params.text("product")
    lookup_keys = call.params.listed("lookup_keys")
    for price in newest_first(call, Price):
        if active not in (None, str(price.active).lower()) or product not in (None, price.product):
            continue
        if lookup_keys and price.lookup_key not in lookup_keys:
            continue
        if is_within(call.params, "created", price.created):
            yield price
