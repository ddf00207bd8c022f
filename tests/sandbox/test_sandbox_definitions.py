"""What Stripe's definitions refuse is refused here, in Stripe's words, before anything is kept or changed."""

from typing import Any

import pytest
import stripe

from sandbox.calls.routes import ROUTES
from sandbox.errors import ApiError
from sandbox.parameters.definitions import check, definition

CUSTOMERS, PRICES, SUBSCRIPTIONS = "/v1/customers", "/v1/prices", "/v1/subscriptions"
METERS, EVENTS = "/v1/billing/meters", "/v1/billing/meter_events"
V2_EVENTS, DESTINATIONS = "/v2/billing/meter_events", "/v2/core/event_destinations"
PAYLOAD = {"stripe_customer_id": "cus_1", "value": "1"}


def sent(shop: Any, path: str, wanted: Any, method: str = "post") -> Any:
    return shop.client.raw_request(method, path, **wanted)


def refused(shop: Any, path: str, wanted: Any, method: str = "post") -> tuple[str, str | None, str | None]:
    """Message, code and param of the refusal."""
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        sent(shop, path, wanted, method)
    error = refusal.value.json_body["error"]
    return error["message"], error.get("code"), error.get("param")


@pytest.mark.parametrize(
    ("path", "wanted", "names"),
    [
        (CUSTOMERS, {"foo": "1"}, ["foo"]),
        (CUSTOMERS, {"foo": "1", "bar": {"a": "b"}}, ["foo", "bar"]),
        (CUSTOMERS, {"address": {"street": "1"}}, ["address[street]"]),
        (SUBSCRIPTIONS, {"items": [{"price": "p"}, {"foo": "1"}]}, ["items[1][foo]"]),
        (SUBSCRIPTIONS, {"coupon": "x", "items": [{"plans": "1"}]}, ["coupon", "items[0][plans]"]),
        (CUSTOMERS, {"x" * 300: "1"}, ["x" * 300]),
    ],
)
def test_an_unknown_parameter_is_named(shop: Any, path: str, wanted: Any, names: list[str]) -> None:
    noun = "parameter" if len(names) == 1 else "parameters"
    told = refused(shop, path, wanted)
    assert told == (f"Received unknown {noun}: {', '.join(names)}", "parameter_unknown", names[0])


@pytest.mark.parametrize(
    ("path", "wanted", "name"),
    [
        (PRICES, {"unit_amount": 1}, "currency"),
        (METERS, {"event_name": "a", "display_name": "b"}, "default_aggregation"),
        (METERS, {"event_name": "a", "display_name": "b", "customer_mapping": {}}, "default_aggregation"),
        (EVENTS, {"event_name": "calls"}, "payload"),
        (EVENTS, {"payload": PAYLOAD}, "event_name"),
        (PRICES, {"currency": "usd", "tiers": [{"unit_amount": 1}]}, "tiers[0][up_to]"),
        (PRICES, {"currency": "usd", "transform_quantity": {"round": "up"}}, "transform_quantity[divide_by]"),
        (V2_EVENTS, {"payload": PAYLOAD}, "event_name"),
        (DESTINATIONS, {"name": "a", "type": "webhook_endpoint", "event_payload": "thin"}, "enabled_events"),
    ],
)
def test_a_missing_parameter_is_named(shop: Any, path: str, wanted: Any, name: str) -> None:
    told = refused(shop, path, wanted)
    assert told == (f"Missing required param: {name}.", "parameter_missing", name)


@pytest.mark.parametrize(
    ("path", "wanted", "message", "param"),
    [
        (PRICES, {"currency": "usd", "unit_amount": "1.5"}, "Invalid integer: 1.5", "unit_amount"),
        (PRICES, {"currency": "usd", "unit_amount": "9" * 30}, f"Invalid integer: {'9' * 30}", "unit_amount"),
        (PRICES, {"currency": "usd", "active": "yes"}, "Invalid boolean: yes", "active"),
        (PRICES, {"currency": "usd", "recurring": "monthly"}, "Invalid object", "recurring"),
        (PRICES, {"currency": "usd", "tiers": "many"}, "Invalid array", "tiers"),
        (PRICES, {"currency": "usd", "tiers": {"a": {"up_to": 1}}}, "Invalid array", "tiers"),
        (PRICES, {"currency": {"a": "b"}}, 'Invalid string: {"a": "b"}', "currency"),
        (
            PRICES,
            {"currency": "usd", "recurring": {"interval": "fortnight"}},
            "Invalid recurring[interval]: must be one of day, month, week, or year",
            "recurring[interval]",
        ),
        (
            PRICES,
            {"currency": "usd", "billing_scheme": "flat"},
            "Invalid billing_scheme: must be one of per_unit or tiered",
            "billing_scheme",
        ),
        (
            PRICES,
            {"currency": "usd", "unit_amount_decimal": "1e3"},
            "Invalid decimal: 1e3; must have at most 12 decimal places",
            "unit_amount_decimal",
        ),
        (EVENTS, {"event_name": "a", "payload": "b"}, "Invalid object", "payload"),
        (EVENTS, {"event_name": "a", "payload": {"a": {"b": "c"}}}, 'Invalid string: {"b": "c"}', "payload[a]"),
        (SUBSCRIPTIONS, {"trial_end": "soon"}, "Invalid integer: soon", "trial_end"),
        (CUSTOMERS, {"name": "x" * 5001}, f"Invalid string: {'x' * 20}...; must be at most 5000 characters", "name"),
        (V2_EVENTS, {"event_name": 5, "payload": PAYLOAD}, "Invalid string: 5", "event_name"),
        (V2_EVENTS, {"event_name": True, "payload": PAYLOAD}, "Invalid string: true", "event_name"),
        (V2_EVENTS, {"event_name": "a", "payload": {"value": 7}}, "Invalid string: 7", "payload[value]"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(shop: Any, path: str, wanted: Any, message: str, param: str) -> None:
    told = refused(shop, path, wanted)
    assert (told[0], told[2]) == (message, param)


def test_only_a_wrong_integer_has_a_code_of_its_own(shop: Any) -> None:
    assert refused(shop, PRICES, {"currency": "usd", "unit_amount": "x"})[1] == "parameter_invalid_integer"
    assert refused(shop, PRICES, {"currency": "usd", "active": "x"})[1] is None


def test_an_empty_text_unsets_only_what_can_be_unset(shop: Any) -> None:
    customer = shop.v1.customers.create({"address": {"city": "Bonn"}, "metadata": {"a": "b"}})
    changed = shop.v1.customers.update(customer.id, {"address": "", "metadata": ""})
    assert (changed.address, changed.metadata.to_dict()) == (None, {})
    message, code, param = refused(shop, PRICES, {"currency": ""})
    assert message.startswith("You passed an empty string for 'currency'.")
    assert (code, param) == ("parameter_invalid_empty", "currency")


def test_what_is_refused_by_definition_is_not_kept_under_its_key(shop: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        shop.v1.customers.create({"foo": "1"}, {"idempotency_key": "k"})
    made = shop.v1.customers.create({"name": "Ada"}, {"idempotency_key": "k"})
    assert made.name == "Ada"


@pytest.mark.parametrize(
    "name", ["api_key", "idempotency_key", "stripe_version", "stripe_account", "max_network_retries"]
)
def test_an_option_of_the_client_is_no_parameter(name: str) -> None:
    with pytest.raises(ApiError, match=f"Received unknown parameter: {name}"):
        check("CustomerCreate", {name: "x"})


@pytest.mark.parametrize("route", ROUTES, ids=[route.name for route in ROUTES])
def test_every_route_names_a_type_that_is_understood(route: Any) -> None:
    assert definition(route.takes).fields.keys() >= ({"expand"} if "/v1/" in route.pattern else set())
