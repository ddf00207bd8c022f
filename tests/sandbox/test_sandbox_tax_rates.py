"""Tax rates: made, changed, listed and refused."""

from typing import Any

import pytest
import stripe

VAT = {"display_name": "VAT", "percentage": 19, "inclusive": False}


def test_a_tax_rate_is_found_as_it_was_made(shop: Any) -> None:
    made = shop.v1.tax_rates.create(VAT | {"percentage": "7.7355", "country": "DE", "tax_type": "vat"})
    found = shop.v1.tax_rates.retrieve(made.id)
    assert (found.percentage, found.inclusive, found.active) == (7.7355, False, True)
    assert (found.display_name, found.country, found.tax_type) == ("VAT", "DE", "vat")
    assert made.id.startswith("txr_")


@pytest.mark.parametrize("percentage", ["100.0001", "-1", "7.12345", "999"])
def test_a_percentage_is_within_0_and_100_and_has_four_places_at_most(shop: Any, percentage: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.tax_rates.create(VAT | {"percentage": percentage})
    assert refusal.value.param == "percentage"


@pytest.mark.parametrize("name", ["display_name", "percentage", "inclusive"])
def test_a_tax_rate_needs_its_name_and_percentage_and_whether_it_is_inclusive(shop: Any, name: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=f"Missing required param: {name}"):
        shop.v1.tax_rates.create({other: value for other, value in VAT.items() if other != name})


def test_a_tax_rates_words_change_and_its_percentage_does_not(shop: Any) -> None:
    rate = shop.v1.tax_rates.create(VAT)
    changed = shop.v1.tax_rates.update(rate.id, {"display_name": "MwSt.", "active": False, "metadata": {"a": "b"}})
    assert (changed.display_name, changed.active, changed.metadata.to_dict()) == ("MwSt.", False, {"a": "b"})
    with pytest.raises(stripe.InvalidRequestError, match="Received unknown parameter: percentage"):
        shop.v1.tax_rates.update(rate.id, {"percentage": 20})


def test_tax_rates_are_listed_by_what_they_are(shop: Any) -> None:
    old = shop.v1.tax_rates.create(VAT | {"active": False}).id
    inclusive = shop.v1.tax_rates.create(VAT | {"inclusive": True}).id
    listed = shop.v1.tax_rates.list
    assert [rate.id for rate in listed().data] == [inclusive, old]
    assert [rate.id for rate in listed({"active": False}).data] == [old]
    assert [rate.id for rate in listed({"inclusive": True}).data] == [inclusive]


def test_tax_rates_are_told_of(shop: Any) -> None:
    rate = shop.v1.tax_rates.create(VAT)
    shop.v1.tax_rates.update(rate.id, {"active": False})
    changed, made = shop.v1.events.list({"type": "tax_rate.*"}).data
    assert (made.type, changed.type) == ("tax_rate.created", "tax_rate.updated")
    assert changed.data.previous_attributes.to_dict() == {"active": True}


def test_a_tax_rate_that_nobody_made_is_not_found(shop: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such taxrate: 'txr_none'") as refusal:
        shop.v1.tax_rates.retrieve("txr_none")
    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")
