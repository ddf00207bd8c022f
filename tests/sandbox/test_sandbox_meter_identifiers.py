"""Identifiers of meter events: for whom they are taken, for how long, and by which events."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

DAY_S = 86_400


@pytest.fixture
def customer(shop: Any) -> str:
    shop.meter()
    return str(shop.customer())


def test_an_identifier_may_be_taken_for_its_event_name_alone(shop: Any, customer: str) -> None:
    shop.settings(identifier_scope="event_name")
    shop.meter("other")
    shop.send(customer, identifier="row-1")
    assert shop.send(customer, identifier="row-1", event_name="other")
    assert "already exists" in str(shop.refused(shop.customer(), identifier="row-1"))


def test_an_identifier_may_be_taken_for_its_customer_alone(shop: Any, customer: str) -> None:
    shop.settings(identifier_scope="customer")
    shop.meter("other")
    shop.send(customer, identifier="row-1")
    assert shop.send(shop.customer(), identifier="row-1")
    assert "already exists" in str(shop.refused(customer, identifier="row-1", event_name="other"))


def test_an_identifier_is_taken_in_the_account_whatever_the_event_name(shop: Any, customer: str) -> None:
    shop.meter("other")
    shop.send(customer, identifier="row-1")
    assert "already exists" in str(shop.refused(customer, identifier="row-1", event_name="other"))


def test_another_account_may_use_the_same_identifier(shop: Any, customer: str) -> None:
    neighbour = shop.sandbox.shop()
    neighbour.meter()
    shop.send(customer, identifier="row-1")
    assert neighbour.send(neighbour.customer(), identifier="row-1")
    neighbour.http.close()


def test_an_identifier_of_a_refused_event_is_free(shop: Any, customer: str) -> None:
    shop.refused(customer, "x", identifier="row-1")
    assert shop.send(customer, "1", identifier="row-1")


def test_an_identifier_of_a_refused_event_may_stay_taken(shop: Any, customer: str) -> None:
    shop.settings(refused_identifier_is_taken=True)
    assert "must be a number" in str(shop.refused(customer, "x", identifier="row-1"))
    assert "already exists" in str(shop.refused(customer, "1", identifier="row-1"))


def test_a_malformed_call_takes_no_identifier(shop: Any, customer: str) -> None:
    shop.settings(refused_identifier_is_taken=True)
    shop.refused(customer, identifier="row-1", timestamp="soon")
    assert shop.send(customer, identifier="row-1")


def test_a_duplicate_does_not_renew_the_day(own_shop: Any) -> None:
    own_shop.meter()
    customer = own_shop.customer()
    own_shop.sandbox.control("POST", "clock", frozen=True)
    own_shop.send(customer, identifier="row-1")
    own_shop.sandbox.control("POST", "clock", advance=DAY_S - 1)
    own_shop.refused(customer, identifier="row-1")
    own_shop.sandbox.control("POST", "clock", advance=1)
    assert own_shop.send(customer, identifier="row-1")


def test_the_window_of_identifiers_is_a_setting(own_shop: Any) -> None:
    own_shop.meter()
    own_shop.settings(identifier_window_s=2 * DAY_S)
    customer = own_shop.customer()
    own_shop.sandbox.control("POST", "clock", frozen=True)
    own_shop.send(customer, identifier="row-1")
    own_shop.sandbox.control("POST", "clock", advance=2 * DAY_S - 1)
    assert "already exists" in str(own_shop.refused(customer, identifier="row-1"))


def test_of_many_calls_at_once_with_one_identifier_one_is_counted(
    shop: Any, customer: str, pool: ThreadPoolExecutor
) -> None:
    customers = [shop.customer() for _ in range(8)]
    calls = [pool.submit(shop.send, each, identifier="row-1") for each in customers]
    assert sum(call.exception() is None for call in calls) == 1


def test_the_same_key_and_identifier_are_replayed_and_another_key_is_a_duplicate(shop: Any, customer: str) -> None:
    first = shop.send(customer, identifier="row-1", key="key-1")
    assert shop.send(customer, identifier="row-1", key="key-1").created == first.created
    assert "already exists" in str(shop.refused(customer, identifier="row-1", key="key-2"))


@pytest.mark.parametrize("identifier", ["x" * 100, "ключ", "a b/c?d&e=f", "{identifier}", "%00", "🜁" * 100])
def test_any_text_of_a_hundred_characters_is_an_identifier(shop: Any, customer: str, identifier: str) -> None:
    assert shop.send(customer, identifier=identifier).identifier == identifier
    assert shop.refused(customer, identifier=identifier).user_message == (
        f"An event already exists with identifier {identifier}."
    )
