"""What the mirrors of invoices' lines, meters, prices and customers say, and which ends of usage are alarms."""

from decimal import Decimal
from typing import Any

import pytest

LINES = "SELECT line, quantity, unit_amount, price, meter_stripe_id FROM invoice_line ORDER BY place"
WAITING_ROW = """
WITH lane AS (INSERT INTO lane (account, customer, meter) VALUES ('default', 'cus_1', 'tokens') RETURNING lane_id)
INSERT INTO entry (entry_id, lane_id, intake_id, source, row_id, value, occurred_at, bucket)
SELECT 1, lane_id, 1, 'app', 'row-1', 5, ledger_now(), ledger_now() FROM lane
"""


@pytest.fixture
def alarms(monkeypatch) -> list[tuple[str, Any, int]]:
    """What the step says but of events: name, object and rows that wait."""
    found: list[tuple[str, Any, int]] = []
    monkeypatch.setattr(
        "workers._mirroring.say",
        lambda name, **more: name.startswith("event.") or found.append((name, more["object_id"], more["rows"])),
    )
    return found


def line(number: int, **fields: Any) -> dict[str, Any]:
    pricing = {"price_details": {"price": "price_1"}, "unit_amount_decimal": "0.1"}
    told = {"id": f"il_{number}", "amount": 5, "quantity_decimal": "2.5", "pricing": pricing}
    return told | fields


def test_an_invoice_s_lines_are_mirrored_with_exact_quantities(world, invoice):
    world.tell("invoice.created", invoice(lines={"data": [line(1), line(2)], "has_more": False}), at=100)

    world.apply()

    assert world.ask(LINES) == [(f"il_{n}", Decimal("2.5"), Decimal("0.1"), "price_1", None) for n in (1, 2)]


def test_lines_that_an_event_leaves_out_are_read_from_stripe(world, invoice):
    world.stripe.has["in_1"] = invoice(lines={"data": [line(1), line(2)], "has_more": False})
    world.tell("invoice.created", invoice(lines={"data": [line(1)], "has_more": True}), at=100)

    world.apply()

    assert [found[0] for found in world.ask(LINES)] == ["il_1", "il_2"]
    assert (world.stripe.asked, world.states()) == (["in_1"], {"evt_0": "applied"})


def test_of_an_older_word_and_of_a_deleted_invoice_no_lines_are_asked_for(world, invoice):
    for type_, at in [("invoice.updated", 101), ("invoice.deleted", 102)]:
        world.tell(type_, invoice(), at=at)
        world.apply()
        world.tell("invoice.created", invoice(lines={"data": [], "has_more": True}), at=100)
        world.apply()

    assert (world.stripe.asked, set(world.states().values())) == ([], {"applied"})


def test_the_meter_of_a_line_is_known_by_the_subscription_s_item(world, invoice, subscription):
    world.tell("customer.subscription.created", subscription(), at=100)
    parent = {"subscription_item_details": {"subscription": "sub_1", "subscription_item": "si_1"}}
    world.tell("invoice.created", invoice(lines={"data": [line(1, parent=parent)]}), at=100)

    world.apply()

    assert [found[-1] for found in world.ask(LINES)] == ["mtr_1"]


def test_the_meter_of_a_line_is_known_by_its_price(world, invoice, price):
    world.tell("invoice.created", invoice(lines={"data": [line(1)]}), at=100)
    world.tell("price.created", price(), at=100)

    world.apply()

    assert [found[-1] for found in world.ask(LINES)] == ["mtr_1"]


def test_the_tiers_of_a_price_are_read_from_stripe_which_leaves_them_out_of_events(world, price):
    tiers = [{"up_to": 10, "unit_amount_decimal": "0.001"}, {"up_to": None, "flat_amount_decimal": "7"}]
    world.stripe.has["price_1"] = price(billing_scheme="tiered", tiers_mode="volume", tiers=tiers)
    world.tell("price.created", price(billing_scheme="tiered", tiers_mode="volume"), at=100)

    world.apply()

    assert world.ask("SELECT tiers_mode, tiers -> 0 ->> 'unit_amount', tiers -> 1 ->> 'flat_amount' FROM price") == [
        ("volume", "0.001", "7")
    ]


def test_a_trial_and_a_cancellation_to_come_are_mirrored(world, subscription):
    told = {"trial_end": 1_769_904_000, "cancel_at_period_end": True, "billing_mode": {"type": "classic"}}
    world.tell("customer.subscription.updated", subscription("trialing", **told), at=100)

    world.apply()

    question = "SELECT trial_end::text, cancel_at_period_end, billing_mode, canceled_at FROM subscription"
    assert world.ask(question) == [("2026-02-01 00:00:00+00", True, "classic", None)]


def test_a_meter_is_known_from_its_event_and_listed_once_more_before_anything_is_sealed(world, meter):
    world.tell("billing.meter.created", meter(), at=100)

    world.apply()

    assert world.ask("SELECT meter, stripe_id, is_active, read_at < ledger_now() - interval '9 years' FROM meter") == [
        ("tokens", "mtr_1", True, True)
    ]


def test_an_inactive_meter_does_not_displace_the_active_one_of_its_name(world, meter):
    world.know_meter("tokens", stripe_id="mtr_2")
    world.tell("billing.meter.deactivated", meter("inactive"), at=100)

    world.apply()

    assert world.ask("SELECT stripe_id, is_active FROM meter") == [("mtr_2", True)]


def test_a_deactivated_meter_is_an_alarm_with_the_rows_that_wait_for_it(world, meter, alarms):
    world.ask(WAITING_ROW)
    world.tell("billing.meter.deactivated", meter("inactive"), at=100)

    world.apply()

    assert alarms == [("meter.deactivated", "mtr_1", 1)]


def test_a_deleted_customer_with_unsent_usage_is_an_alarm(world, alarms):
    world.ask(WAITING_ROW)
    world.tell("customer.deleted", {"id": "cus_1", "object": "customer"}, at=100)

    world.apply()

    assert alarms == [("customer.deleted", "cus_1", 1)]


def test_a_deleted_customer_without_usage_is_none(world, alarms):
    world.tell("customer.deleted", {"id": "cus_1", "object": "customer"}, at=100)

    world.apply()

    assert alarms == []
    assert world.ask("SELECT object_id, is_deleted FROM mirror") == [("cus_1", True)]
