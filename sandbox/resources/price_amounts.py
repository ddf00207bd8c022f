"""What a price costs, as parameters say it and as answers do: amounts, tiers, packages.

Each amount has two spellings, whole and with up to 12 decimal places, of which a call may use one.
"""

from decimal import Decimal

from sandbox.billing.rating import Tier, Transform
from sandbox.errors import invalid, missing
from sandbox.parameters.params import Params
from sandbox.wire import JsonObject, decimal_text, whole_or_none

DIVIDE_BY_MAX = 10**15


def tiers_from(params: Params, tiers_mode: str | None) -> tuple[Tier, ...]:
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


def amount_from(params: Params, name: str, *, is_required: bool) -> Decimal | None:
    whole, exact = params.integer(name), params.decimal(f"{name}_decimal")
    if whole is not None and exact is not None:
        raise invalid(f"You may only specify one of {name} and {name}_decimal.", param=params.named(name))
    if whole is None and exact is None and is_required:
        raise missing(params.named(name))
    amount = exact if whole is None else Decimal(whole)
    if amount is not None and amount < 0:
        told = name if exact is None else f"{name}_decimal"
        raise invalid("This value must be greater than or equal to 0.", param=params.named(told))
    return amount


def transform_from(params: Params, *, has_tiers: bool) -> Transform | None:
    if "transform_quantity" not in params:
        return None
    if has_tiers:
        raise invalid("`transform_quantity` cannot be combined with `tiers`.", param="transform_quantity")
    group = params.group("transform_quantity")
    group.required("divide_by")
    divide_by = group.within("divide_by", 1, DIVIDE_BY_MAX) or 1
    return Transform(divide_by=divide_by, rounds_up=group.required_choice("round", ("up", "down")) == "up")


def tier_body(tier: Tier) -> JsonObject:
    return {
        "flat_amount": whole_or_none(tier.flat_amount) or None,
        "flat_amount_decimal": decimal_text(tier.flat_amount) if tier.flat_amount else None,
        "unit_amount": whole_or_none(tier.unit_amount),
        "unit_amount_decimal": decimal_text(tier.unit_amount),
        "up_to": tier.up_to,
    }


def transform_body(transform: Transform | None) -> JsonObject | None:
    if transform is None:
        return None
    return {"divide_by": transform.divide_by, "round": "up" if transform.rounds_up else "down"}


def _tier(params: Params) -> Tier:
    up_to = params.required("up_to")
    unit_amount = amount_from(params, "unit_amount", is_required=False)
    flat_amount = amount_from(params, "flat_amount", is_required=False)
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
