"""Amounts as a person reads them, by the minor unit of their currency."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterpost.amounts import THREE_DECIMAL, ZERO_DECIMAL
from sandbox.billing.currencies import SUPPORTED
from service.currencies import CHARGED_IN, exact_money, money, to_minor


def test_the_currencies_that_are_taken_are_those_that_stripe_would_take():
    assert set(SUPPORTED) == CHARGED_IN
    assert ZERO_DECIMAL | THREE_DECIMAL <= CHARGED_IN


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (20_000, "usd", "$200.00"),
        (Decimal(-7), "usd", "-$0.07"),
        (Decimal("0.5"), "usd", "$0.01"),
        (Decimal("0.49"), "usd", "$0.00"),
        (Decimal("-0.49"), "usd", "$0.00"),
        (123_456_789, "eur", "€1,234,567.89"),
        (500, "jpy", "¥500"),
        (500, "krw", "500 KRW"),
        (12_345, "kwd", "12.345 KWD"),
        (500, "isk", "5.00 ISK"),  # told in hundredths, which it has not
        (500, "ugx", "5.00 UGX"),
    ],
)
def test_an_amount_is_shown_by_its_currencys_minor_unit(minor: Decimal | int, currency: str, shown: str):
    assert money(minor, currency) == shown


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [("0.025", "usd", "$0.00025"), ("0", "usd", "$0.00"), ("100", "usd", "$1.00"), ("0.5", "jpy", "¥0.5")],
)
def test_an_exact_amount_loses_no_digit(minor: str, currency: str, shown: str):
    assert exact_money(Decimal(minor), currency) == shown


@given(st.decimals(min_value=0, max_value=10**15, places=14), st.sampled_from(["usd", "jpy", "kwd"]))
def test_an_amount_in_minor_units_is_the_same_amount(amount: Decimal, currency: str):
    told = exact_money(to_minor(amount, currency), currency)
    assert Decimal(told.strip("$¥ KWD").replace(",", "")) == amount
