"""Tax rates: what is added to a price, or is part of it, in percent.

A rate's percentage and whether it is inclusive never change. One that was archived is refused where it is new, and
goes on where it was. What automatic tax applies is an archived rate too, which nobody made.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from sandbox.books import Books
from sandbox.calls.call import Call
from sandbox.errors import invalid, no_such
from sandbox.pages import newest_first, page
from sandbox.parameters.params import Params
from sandbox.resources.events import record
from sandbox.wire import JsonObject, decimal_text

PERCENTAGE = re.compile(r"\+?[0-9]{1,3}(\.[0-9]{1,4}0*)?")
PERCENTAGE_MAX = 100
COUNTRY = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRate:
    id: str
    created: int
    livemode: bool
    active: bool
    percentage: Decimal
    inclusive: bool
    display_name: str
    country: str | None
    state: str | None = None
    description: str | None = None
    jurisdiction: str | None = None
    tax_type: str | None = None
    is_automatic: bool = False
    metadata: dict[str, str] = field(default_factory=dict)

    def render(self) -> JsonObject:
        return {
            "id": self.id,
            "object": "tax_rate",
            "active": self.active,
            "country": self.country,
            "created": self.created,
            "description": self.description,
            "display_name": self.display_name,
            "effective_percentage": float(self.percentage) if self.is_automatic else None,
            "flat_amount": None,
            "inclusive": self.inclusive,
            "jurisdiction": self.jurisdiction,
            "jurisdiction_level": "country" if self.is_automatic else None,
            "livemode": self.livemode,
            "metadata": self.metadata,
            "percentage": float(self.percentage),  # a JSON number at Stripe too: taxes are worked out before
            "rate_type": "percentage" if self.is_automatic else None,
            "state": self.state,
            "tax_type": self.tax_type,
        }


def create(call: Call) -> JsonObject:
    params = call.params
    rate = TaxRate(
        id=call.books.ids.new("txr"),
        created=call.now,
        livemode=call.books.livemode,
        active=params.is_true_by_default("active"),
        percentage=_percentage(params),
        inclusive=params.required_choice("inclusive", ("true", "false")) == "true",
        display_name=params.required("display_name"),
        country=_country(params, None),
        state=params.text("state"),
        description=params.text("description"),
        jurisdiction=params.text("jurisdiction"),
        tax_type=params.text("tax_type"),
        metadata=params.metadata(),
    )
    params.nothing_else()
    return _shelved(call, rate, "tax_rate.created")


def retrieve(call: Call) -> JsonObject:
    call.params.nothing_else()
    return existing(call, call.id).render()


def update(call: Call) -> JsonObject:
    params, before = call.params, existing(call, call.id)
    rate = replace(
        before,
        active=params.is_true("active") if "active" in params else before.active,
        display_name=params.text("display_name") or before.display_name,
        country=_country(params, before.country),
        state=params.text_or("state", before.state),
        description=params.text_or("description", before.description),
        jurisdiction=params.text_or("jurisdiction", before.jurisdiction),
        tax_type=params.text_or("tax_type", before.tax_type),
        metadata=params.metadata(before.metadata),
    )
    params.nothing_else()
    return _shelved(call, rate, "tax_rate.updated")


def list_page(call: Call) -> JsonObject:
    body = page(call, _wanted(call), TaxRate.render)
    call.params.nothing_else()
    return body


def existing(call: Call, identity: str, *, param: str = "id") -> TaxRate:
    rate = call.books.shelf(TaxRate).get(identity)
    if rate is None:
        raise no_such("taxrate", identity, param=param)
    return rate


def automatic(books: Books, *, country: str, inclusive: bool) -> TaxRate:
    """The rate of automatic tax in that country, by the account's switch; the same one whenever it is asked for."""
    percentage = Decimal(books.settings.automatic_tax_percentage)
    identity = books.ids.letters("automatic_tax", country, decimal_text(percentage), str(inclusive))
    rate = TaxRate(
        id=f"txr_{identity}",
        created=books.now,
        livemode=books.livemode,
        active=False,
        percentage=percentage,
        inclusive=inclusive,
        display_name="Tax",
        country=country,
        jurisdiction=country,
        is_automatic=True,
    )
    return books.shelf(TaxRate).setdefault(rate.id, rate)


def _percentage(params: Params) -> Decimal:
    told = params.required("percentage")
    if not PERCENTAGE.fullmatch(told) or Decimal(told) > PERCENTAGE_MAX:
        raise invalid(
            f"Invalid percentage: {told}; must be between 0 and 100, with at most 4 decimal places", param="percentage"
        )
    return Decimal(told)


def _country(params: Params, before: str | None) -> str | None:
    country = params.text("country")
    if country is not None and not COUNTRY.fullmatch(country.upper()):
        raise invalid(
            f"Country '{country[:20]}' is unknown. Try using a 2-character alphanumeric country code instead, "
            "such as 'US', 'EG', or 'GB'.",
            param="country",
            code="country_code_invalid",
        )
    return before if country is None else country.upper()


def _wanted(call: Call) -> Iterable[TaxRate]:
    params = call.params
    active, inclusive = params.choice("active", ("true", "false")), params.choice("inclusive", ("true", "false"))
    created = params.bounds("created")
    for rate in newest_first(call, TaxRate):
        if active not in (None, str(rate.active).lower()) or inclusive not in (None, str(rate.inclusive).lower()):
            continue
        if created is None or created.hold(rate.created):
            yield rate


def _shelved(call: Call, rate: TaxRate, kind: str) -> JsonObject:
    call.books.shelf(TaxRate)[rate.id] = rate
    record(call.books, kind, rate.render())
    return rate.render()
