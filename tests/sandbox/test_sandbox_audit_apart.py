"""What the auditor keeps apart, and where it must agree with summaries and invoices though it never reads them."""

from decimal import Decimal
from typing import Any

import pytest

START = 1_800_000_000
DAY_S = 86_400


@pytest.fixture
def still(own_shop: Any) -> Any:
    """A shop whose clock stands still, and whose cancellations are carried out at once."""
    own_shop.sandbox.control("POST", "clock", frozen=True, to=START)
    own_shop.settings(adjustment_delay_s=0)
    return own_shop


def advance(shop: Any, seconds: int) -> None:
    shop.sandbox.control("POST", "clock", advance=seconds)


def cancel(shop: Any, identifier: str) -> None:
    wanted: Any = {"event_name": "calls", "type": "cancel", "cancel": {"identifier": identifier}}
    shop.v1.billing.meter_event_adjustments.create(wanted)


def counted(shop: Any, meter: str, customer: str) -> float:
    """What summaries tell of the two months around the start."""
    page = shop.summaries(meter, customer, START - 30 * DAY_S, START + 30 * DAY_S)
    return float(page.data[0].aggregated_value)


def modes(sandbox: Any) -> tuple[Any, Any]:
    """One account in test mode and in live mode."""
    live = sandbox.shop(livemode=True)
    key = live.key.replace("live", "test")
    sandbox.control("POST", "keys", key=key, account=live.account, livemode=False)
    return type(live)(sandbox=sandbox, key=key, account=live.account, http=live.http), live


def test_one_identifier_in_both_modes_is_not_applied_twice(shared_sandbox: Any) -> None:
    test, live = modes(shared_sandbox)
    for shop in (test, live):
        shop.meter()
        shop.send(shop.customer(), identifier="row-1")
    assert (test.audit()["applied_twice"], test.audit()["identifiers"]) == ([], 2)
    assert {total["livemode"] for total in test.audit()["totals"]} == {False, True}


def test_the_auditor_can_be_asked_about_one_mode(shared_sandbox: Any) -> None:
    test, live = modes(shared_sandbox)
    test.meter()
    test.send(test.customer())
    live.meter()
    asked = f"account={live.account}&livemode=true"
    assert shared_sandbox.control("GET", f"audit?{asked}")["applied"] == 0
    assert shared_sandbox.control("GET", f"audit/minutes?{asked}")["data"] == []
    assert [call["path"] for call in shared_sandbox.control("GET", f"audit/calls?{asked}")["data"]] == [
        "/v1/billing/meters"
    ]


def test_the_last_value_is_looked_for_again_once_it_was_cancelled(still: Any) -> None:
    meter, customer = still.meter(formula="last"), still.customer()
    for value, ago_s in (("10", 30), ("20", 20), ("30", 10)):
        still.send(customer, value, timestamp=START - ago_s, identifier=value)
    cancel(still, "30")
    still.send(customer, "5", timestamp=START - 50)
    assert counted(still, meter, customer) == 20
    assert still.audit()["totals"][0]["last"] == "20"


def test_a_reset_account_loses_nothing_to_what_was_rejected_before(still: Any) -> None:
    still.settings(customer_validation="later")
    still.meter()
    still.send("cus_stranger", identifier="row-1")
    still.sandbox.control("POST", "reset", account=still.account)
    still.meter()
    still.send(still.customer(), identifier="row-1")
    advance(still, 60)
    assert (still.audit()["totals"][0]["events"], still.audit()["rejected_later"]) == (1, [])


def test_a_cancellation_without_effect_leaves_the_totals_as_they_are(still: Any) -> None:
    still.settings(adjustment_validation="silently")
    meter, customer = still.meter(), still.customer()
    still.send(customer, "9", identifier="row-1")
    advance(still, DAY_S)
    cancel(still, "row-1")
    assert counted(still, meter, customer) == 9
    assert (still.audit()["totals"][0]["value"], still.audit()["cancelled"]) == ("9", [])


def test_a_cancellation_a_second_short_of_a_day_has_its_effect_in_both_books(still: Any) -> None:
    meter, customer = still.meter(), still.customer()
    still.send(customer, "9", identifier="row-1")
    advance(still, DAY_S - 1)
    cancel(still, "row-1")
    assert (counted(still, meter, customer), still.audit()["totals"][0]["value"]) == (0, "0")


def test_a_meter_that_is_woken_is_read_by_its_own_keys_again(still: Any) -> None:
    first = still.meter(value_settings={"event_payload_key": "first"})
    still.v1.billing.meters.deactivate(first)
    second = still.meter(value_settings={"event_payload_key": "second"})
    still.v1.billing.meters.deactivate(second)
    still.v1.billing.meters.reactivate(first)
    customer = still.customer()
    still.send(customer, payload={"stripe_customer_id": customer, "first": "5"})
    assert (still.audit()["totals"][0]["value"], counted(still, first, customer)) == ("5", 5)


def test_a_rejection_of_one_customers_event_takes_no_others(still: Any) -> None:
    still.settings(identifier_scope="customer", customer_validation="later")
    meter, customer = still.meter(), still.customer()
    still.send(customer, "3", identifier="row-1")
    still.send("cus_stranger", "4", identifier="row-1")
    advance(still, 60)
    totals = {total["customer"]: total["value"] for total in still.audit()["totals"]}
    assert (counted(still, meter, customer), totals) == (3, {customer: "3", "cus_stranger": "0"})


def test_auditor_summary_and_invoice_agree_where_a_share_is_rejected_later(january: Any) -> None:
    shop = january.shop
    meter, customer = shop.meter(), shop.customer()
    subscription = shop.subscription(customer, shop.price(meter).id).id
    shop.fault("rejected_later", share=0.3, seed=7)
    for number in range(40):
        shop.send(customer, str(number + 1))
    january.go(32)
    [total], rejected = shop.audit()["totals"], shop.audit()["rejected_later"]
    [page] = shop.summaries(meter, customer, january.begin, january.at(31)).data
    assert 0 < len(rejected) < 40
    assert Decimal(total["value"]) == 820 - sum(Decimal(each["value"]) for each in rejected)
    assert page.aggregated_value == float(total["value"])
    assert january.invoices(subscription)[0].total == int(total["value"])
