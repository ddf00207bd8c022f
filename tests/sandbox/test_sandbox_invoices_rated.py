"""What an invoice says against an independent rating: Stripe's words about tiers and packages, in fractions.

Nothing of the sandbox is used to work out what is expected. Most examples ask the rating itself, some a real invoice.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.billing.rating import ROUNDINGS, RatedLine, Tier, Transform, graduated, per_unit, together, volume, whole

Terms = dict[str, Any]
DAY_S = 86_400
HOUR_S = 3_600
A_FEW = settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def written(value: Decimal) -> str:
    return format(value, "f")


amounts = st.one_of(
    st.integers(0, 10_000).map(str),
    st.decimals(min_value=0, max_value=100, places=2).map(written),
    st.decimals(min_value=0, max_value=1, places=12).map(written),
)
values = st.one_of(
    st.integers(-100, 10**9).map(str),
    st.decimals(min_value=-10, max_value=10_000, places=3).map(written),
    st.decimals(min_value=0, max_value=1, places=12).map(written),
)
usages = st.lists(values, max_size=5)


@st.composite
def tiered(draw: st.DrawFn) -> Terms:
    ends = sorted(draw(st.sets(st.integers(1, 2 * 10**9), max_size=5)))
    tiers = [{"up_to": end, "unit_amount_decimal": draw(amounts), "flat_amount_decimal": draw(amounts)} for end in ends]
    tiers.append({"up_to": "inf", "unit_amount_decimal": draw(amounts), "flat_amount_decimal": draw(amounts)})
    mode = draw(st.sampled_from(["graduated", "volume"]))
    return {"billing_scheme": "tiered", "tiers_mode": mode, "tiers": tiers}


@st.composite
def packaged(draw: st.DrawFn) -> Terms:
    transform = {"divide_by": draw(st.integers(2, 10_000)), "round": draw(st.sampled_from(["up", "down"]))}
    return {"unit_amount_decimal": draw(amounts), "transform_quantity": transform}


flat = st.builds(lambda amount: {"unit_amount_decimal": amount}, amounts)
prices = st.one_of(tiered(), packaged(), flat)


def counted(usage: list[str]) -> Fraction:
    """A period's usage is the sum of its values; if that is negative, the quantity is 0."""
    return max(Fraction(0), sum((Fraction(value) for value in usage), Fraction(0)))


def cents(exact: Fraction) -> int:
    """To the nearest cent; half a cent is a whole one."""
    return int(exact + Fraction(1, 2))


def expected(price: Terms, quantity: Fraction) -> list[tuple[Fraction, int]]:
    """Each line's quantity and amount, as the documentation has it."""
    match price.get("tiers_mode"):
        case "graduated":
            return [(units, tier_cents(tier, units)) for tier, units in slices(price["tiers"], quantity)]
        case "volume":
            tier = next(tier for tier in price["tiers"] if tier["up_to"] == "inf" or quantity <= tier["up_to"])
            return [(quantity, tier_cents(tier, quantity))]
        case _:
            return [(quantity, cents(packages(price, quantity) * Fraction(price["unit_amount_decimal"])))]


def slices(tiers: list[Terms], quantity: Fraction) -> list[tuple[Terms, Fraction]]:
    """The part of the quantity that lies in each tier, of those that it reaches; the first is always reached."""
    floors = [Fraction(0), *(Fraction(tier["up_to"]) for tier in tiers[:-1])]
    roofs = [*floors[1:], max(quantity, floors[-1])]
    parts = [(tier, min(quantity, roof) - floor) for tier, floor, roof in zip(tiers, floors, roofs, strict=True)]
    return [part for place, part in enumerate(parts) if part[1] > 0 or place == 0]


def tier_cents(tier: Terms, units: Fraction) -> int:
    return cents(units * Fraction(tier["unit_amount_decimal"]) + Fraction(tier["flat_amount_decimal"]))


def packages(price: Terms, quantity: Fraction) -> Fraction:
    """Packages are whole: divided, and rounded up or down."""
    if "transform_quantity" not in price:
        return quantity
    full, rest = divmod(quantity, price["transform_quantity"]["divide_by"])
    return Fraction(full + 1 if rest and price["transform_quantity"]["round"] == "up" else full)


def rated(price: Terms, quantity: Decimal) -> list[RatedLine]:
    """By the sandbox."""
    if "tiers_mode" in price:
        rate = graduated if price["tiers_mode"] == "graduated" else volume
        return rate(quantity, [tier(terms) for terms in price["tiers"]])
    packing = price.get("transform_quantity")
    transform = Transform(divide_by=packing["divide_by"], rounds_up=packing["round"] == "up") if packing else None
    return per_unit(quantity, Decimal(price["unit_amount_decimal"]), transform=transform)


def tier(terms: Terms) -> Tier:
    return Tier(
        up_to=None if terms["up_to"] == "inf" else terms["up_to"],
        unit_amount=Decimal(terms["unit_amount_decimal"]),
        flat_amount=Decimal(terms["flat_amount_decimal"]),
    )


@given(prices, st.decimals(min_value=0, max_value=10**12, places=12) | st.integers(0, 10**24).map(Decimal))
def test_rated_lines_are_those_of_an_independent_rating(price: Terms, quantity: Decimal) -> None:
    lines = [(Fraction(line.quantity), line.amount) for line in rated(price, quantity)]
    assert lines == expected(price, Fraction(quantity))


@given(tiered(), st.decimals(min_value=0, max_value=10**10, places=6))
def test_one_line_for_all_tiers_rounds_only_their_sum(price: Terms, quantity: Decimal) -> None:
    lines = rated(price, quantity)
    exact = sum((Fraction(line.exact) for line in lines), Fraction(0))
    (one,) = together(lines)
    assert (Fraction(one.quantity), one.amount) == (Fraction(quantity), cents(exact))


@given(st.fractions(), st.sampled_from(ROUNDINGS))
def test_a_rounded_amount_is_less_than_a_unit_away(exact: Fraction, rule: str) -> None:
    assert abs(whole(exact, rule) - exact) < 1
    assert whole(-exact, rule) == -whole(exact, rule)


@given(st.fractions(), st.sampled_from(["half_up", "half_even", "half_down"]))
def test_rules_of_the_half_differ_only_at_the_half(exact: Fraction, rule: str) -> None:
    distance = abs(whole(exact, rule) - exact)
    assert distance <= Fraction(1, 2)


@A_FEW
@given(st.lists(st.tuples(prices, usages), min_size=6, max_size=6))
def test_a_finalized_invoices_lines_are_those_of_an_independent_rating(
    renewed_sandbox: Any, cases: list[tuple[Terms, list[str]]]
) -> None:
    renewed_sandbox.control("POST", "reset")
    shop = renewed_sandbox.shop()
    renewed_sandbox.control("POST", "clock", frozen=True)
    customers = [subscribed(shop, f"meter_{number}", *case) for number, case in enumerate(cases)]
    renewed_sandbox.control("POST", "clock", advance=31 * DAY_S + 2 * HOUR_S)
    found = [billed(shop, customer) for customer in customers]
    shop.http.close()
    assert found == [expected(price, counted(usage)) for price, usage in cases]


def subscribed(shop: Any, event_name: str, price: Terms, usage: list[str]) -> str:
    """A customer with this usage of a metered price of their own."""
    customer = str(shop.customer())
    shop.subscription(customer, shop.price(shop.meter(event_name), **price).id)
    for value in usage:
        shop.send(customer, value, event_name=event_name)
    return customer


def billed(shop: Any, customer: str) -> list[tuple[Fraction, int]]:
    (invoice,) = shop.v1.invoices.list({"customer": customer}).data
    assert invoice.status_transitions.finalized_at is not None
    lines = shop.v1.invoices.line_items.list(invoice.id, {"limit": 100}).data
    return [(Fraction(line.quantity_decimal), line.amount) for line in lines]
