"""Error reports: what was accepted and is rejected later, when it is told, and in which shape."""

from typing import Any

import pytest

from sandbox.calls.fault_kinds import REJECTION_CODES

DAY_S = 86_400
ERROR_REPORT = "v1.billing.meter.error_report_triggered"
NO_METER_FOUND = "v1.billing.meter.no_meter_found"
SUBJECTS = ("meter", "customer", "value", "time")


@pytest.fixture
def late_shop(own_shop: Any) -> Any:
    """A shop in which everything is validated later, at a clock that stands still."""
    own_shop.sandbox.control("POST", "clock", to=1_800_000_005, frozen=True)
    own_shop.settings(**{f"{subject}_validation": "later" for subject in SUBJECTS})
    return own_shop


@pytest.fixture
def meter(late_shop: Any) -> str:
    return str(late_shop.meter())


def advance(shop: Any, seconds: int) -> None:
    shop.sandbox.control("POST", "clock", advance=seconds)


def told(shop: Any) -> list[Any]:
    """All thin events that tell of meter events, fetched, youngest first."""
    found = [shop.client.v2.core.events.retrieve(event.id) for event in shop.client.v2.core.events.list().data]
    return [event.to_dict(for_json=True) for event in found if event.type in {ERROR_REPORT, NO_METER_FOUND}]


def reported(shop: Any) -> Any:
    """The one report there is, after the window has passed."""
    advance(shop, 10)
    [report] = told(shop)
    return report


def codes(report: Any) -> list[tuple[str, int]]:
    return [(each["code"], each["error_count"]) for each in report["data"]["reason"]["error_types"]]


def samples(report: Any) -> Any:
    return report["data"]["reason"]["error_types"][0]["sample_errors"]


def test_an_unknown_customer_may_be_told_only_ten_seconds_later(late_shop: Any, meter: str) -> None:
    late_shop.send("cus_stranger", identifier="row-1")
    assert told(late_shop) == []
    report = reported(late_shop)
    assert report["type"] == ERROR_REPORT
    assert report["related_object"] == {"id": meter, "type": "billing.meter", "url": f"/v1/billing/meters/{meter}"}
    assert report["data"]["reason"]["error_types"] == [
        {
            "code": "meter_event_customer_not_found",
            "error_count": 1,
            "sample_errors": [
                {"error_message": "No such customer: 'cus_stranger'", "request": {"identifier": "row-1"}}
            ],
        }
    ]


def test_a_report_tells_its_window_and_its_sum(late_shop: Any, meter: str) -> None:
    late_shop.send("cus_stranger")
    data = reported(late_shop)["data"]
    assert data["developer_message_summary"] == "There is 1 invalid event"
    assert data["validation_start"] == "2027-01-15T08:00:00.000Z"
    assert data["validation_end"] == "2027-01-15T08:00:10.000Z"


def test_a_window_is_as_wide_as_its_setting(late_shop: Any, meter: str) -> None:
    late_shop.settings(validation_window_s=60)
    late_shop.send("cus_stranger")
    advance(late_shop, 54)
    assert told(late_shop) == []
    advance(late_shop, 1)
    assert told(late_shop)[0]["data"]["validation_end"] == "2027-01-15T08:01:00.000Z"


def test_each_window_has_a_report_of_its_own(late_shop: Any, meter: str) -> None:
    for _ in range(2):
        late_shop.send("cus_stranger")
        advance(late_shop, 10)
    assert [report["data"]["reason"]["error_count"] for report in told(late_shop)] == [1, 1]


def test_a_jump_over_months_still_tells_each_window_in_its_time(late_shop: Any, meter: str) -> None:
    late_shop.send("cus_stranger")
    advance(late_shop, 20 * DAY_S)
    assert told(late_shop)[0]["created"] == "2027-01-15T08:00:10.000Z"


def test_samples_are_few_and_the_count_is_whole(late_shop: Any, meter: str) -> None:
    for number in range(5):
        late_shop.send("cus_stranger", identifier=f"row-{number}")
    report = reported(late_shop)
    assert codes(report) == [("meter_event_customer_not_found", 5)]
    assert [each["request"]["identifier"] for each in samples(report)] == ["row-0", "row-1", "row-2"]
    assert report["data"]["developer_message_summary"] == "There are 5 invalid events"


def test_how_many_samples_there_are_is_a_setting(late_shop: Any, meter: str) -> None:
    late_shop.settings(report_samples_max=1)
    for _ in range(2):
        late_shop.send("cus_stranger")
    assert len(samples(reported(late_shop))) == 1


@pytest.mark.parametrize(
    ("event", "code", "message"),
    [
        (
            {"payload": {"value": "1"}},
            "meter_event_no_customer_defined",
            "Customer mapping key stripe_customer_id not found in payload.",
        ),
        ({"payload": {"value": "x"}, "customer": True}, "meter_event_invalid_value", "must be a number. Received `x`"),
        ({"payload": {}, "customer": True}, "meter_event_value_not_found", "Value key value not found in payload."),
        (
            {"payload": {"value": "1234567890123456"}, "customer": True},
            "meter_event_value_too_many_digits",
            "The value in the event payload can have at most 15 digits. Received `1234567890123456`.",
        ),
        ({"timestamp": 1_800_000_005 - 36 * DAY_S}, "timestamp_too_far_in_past", "more than 35 days in past"),
        ({"timestamp": 1_800_000_005 + 301}, "timestamp_in_future", "more than 5 minutes in the future"),
    ],
)
def test_each_mistake_has_its_code_and_words(
    late_shop: Any, meter: str, event: dict[str, Any], code: str, message: str
) -> None:
    customer = late_shop.customer()
    if event.pop("customer", False):
        event["payload"]["stripe_customer_id"] = customer
    late_shop.send(customer, **event)
    report = reported(late_shop)
    assert codes(report) == [(code, 1)]
    assert message in samples(report)[0]["error_message"]


def test_an_inactive_meter_is_reported_as_archived(late_shop: Any, meter: str) -> None:
    late_shop.v1.billing.meters.deactivate(meter)
    late_shop.send(late_shop.customer())
    report = reported(late_shop)
    assert (codes(report), report["related_object"]["id"]) == ([("archived_meter", 1)], meter)


@pytest.mark.parametrize(("answer", "related"), [("empty", {}), ("null", None)])
def test_without_a_meter_the_event_is_no_meter_found(late_shop: Any, answer: str, related: Any) -> None:
    late_shop.settings(absent_related_object=answer)
    late_shop.send(late_shop.customer())
    report = reported(late_shop)
    assert (report["type"], report.get("related_object")) == (NO_METER_FOUND, related)
    assert codes(report) == [("no_meter", 1)]


def test_each_meter_has_a_report_of_its_own(late_shop: Any, meter: str) -> None:
    other = late_shop.meter("other")
    late_shop.send("cus_stranger")
    late_shop.send("cus_stranger", event_name="other")
    advance(late_shop, 10)
    assert {report["related_object"]["id"] for report in told(late_shop)} == {meter, other}


def test_one_report_tells_all_kinds_of_errors(late_shop: Any, meter: str) -> None:
    late_shop.send("cus_stranger")
    late_shop.send(late_shop.customer(), "x")
    report = reported(late_shop)
    assert codes(report) == [("meter_event_customer_not_found", 1), ("meter_event_invalid_value", 1)]
    assert report["data"]["reason"]["error_count"] == 2


@pytest.mark.parametrize(
    ("names", "request_told"),
    [
        ("identifier", {"identifier": "row-1"}),
        ("idempotency_key", {"identifier": "key-1"}),
        ("id_and_key", {"id": "", "idempotency_key": "key-1"}),
    ],
)
def test_what_a_sample_names_is_a_switch(late_shop: Any, meter: str, names: str, request_told: Any) -> None:
    late_shop.settings(report_request_names=names)
    late_shop.send("cus_stranger", identifier="row-1", key="key-1")
    assert samples(reported(late_shop))[0]["request"] == request_told


def test_what_is_rejected_later_counts_nowhere(late_shop: Any, meter: str) -> None:
    customer = late_shop.customer()
    late_shop.send(customer, timestamp=1_800_000_005 + 400)
    page = late_shop.summaries(meter, customer, 1_800_000_000 - 600, 1_800_000_000 + 600)
    assert page.data[0].aggregated_value == 0


@pytest.mark.parametrize(
    ("subject", "wrong"),
    [
        ("meter", {"event_name": "nobodys"}),
        ("customer", {"payload": {"stripe_customer_id": "cus_stranger", "value": "1"}}),
        ("value", {"value": "x"}),
        ("time", {"timestamp": 1_700_000_000}),
    ],
)
def test_each_kind_of_mistake_is_told_at_once_or_later_by_a_switch_of_its_own(
    late_shop: Any, meter: str, subject: str, wrong: Any
) -> None:
    customer = late_shop.customer()
    assert late_shop.send(customer, **wrong)
    late_shop.settings(**{f"{each}_validation": "later" if each != subject else "at_once" for each in SUBJECTS})
    late_shop.refused(customer, **wrong)
    late_shop.settings(**{f"{each}_validation": "at_once" if each != subject else "later" for each in SUBJECTS})
    assert late_shop.send(customer, **wrong)
    assert reported(late_shop)["data"]["reason"]["error_count"] == 2


def test_what_is_refused_at_once_is_in_no_report(late_shop: Any, meter: str) -> None:
    late_shop.settings(time_validation="at_once")
    late_shop.refused("cus_stranger", timestamp=1_700_000_000)
    advance(late_shop, 10)
    assert told(late_shop) == []


def test_an_identifier_of_a_rejected_event_stays_taken(late_shop: Any, meter: str) -> None:
    late_shop.send("cus_stranger", identifier="row-1")
    advance(late_shop, 10)
    assert "already exists" in str(late_shop.refused(late_shop.customer(), identifier="row-1"))


def test_an_identifier_of_a_rejected_event_may_become_free(late_shop: Any, meter: str) -> None:
    late_shop.settings(rejected_identifier_is_taken=False)
    late_shop.send("cus_stranger", identifier="row-1")
    assert "already exists" in str(late_shop.refused(late_shop.customer(), identifier="row-1"))
    advance(late_shop, 10)
    assert late_shop.send(late_shop.customer(), identifier="row-1")


@pytest.fixture
def secret(late_shop: Any, receiver: Any) -> str:
    """Of a destination of error reports that goes to the receiver."""
    wanted: Any = {
        "name": "thin",
        "type": "webhook_endpoint",
        "event_payload": "thin",
        "enabled_events": [ERROR_REPORT],
        "webhook_endpoint": {"url": receiver.url},
        "include": ["webhook_endpoint.signing_secret"],
    }
    return str(late_shop.client.v2.core.event_destinations.create(wanted).webhook_endpoint.signing_secret)


def test_a_report_is_delivered_without_its_details(late_shop: Any, meter: str, receiver: Any, secret: str) -> None:
    late_shop.send("cus_stranger")
    advance(late_shop, 10)
    [(body, signature)] = receiver.wait(1)
    notification = late_shop.client.parse_event_notification(body, signature, secret)
    assert b"data" not in body
    assert notification.fetch_event().data.reason.error_count == 1
    assert notification.fetch_related_object().id == meter


def test_a_share_of_good_meter_events_can_be_rejected_later(late_shop: Any, meter: str) -> None:
    customer = late_shop.customer()
    late_shop.fault("rejected_later", share=0.5, seed=3, code="meter_event_customer_not_found")
    for _ in range(20):
        late_shop.send(customer)
    count = reported(late_shop)["data"]["reason"]["error_count"]
    page = late_shop.summaries(meter, customer, 1_800_000_000, 1_800_000_060)
    assert 4 <= count <= 16
    assert page.data[0].aggregated_value == 20 - count


@pytest.mark.parametrize("code", REJECTION_CODES)
def test_a_good_meter_event_can_be_rejected_with_any_code(late_shop: Any, meter: str, code: str) -> None:
    late_shop.fault("rejected_later", code=code)
    late_shop.send(late_shop.customer(), identifier="row-1")
    report = reported(late_shop)
    assert codes(report) == [(code, 1)]
    assert report["type"] == (NO_METER_FOUND if code == "no_meter" else ERROR_REPORT)


def test_an_event_of_v2_is_rejected_later_too(late_shop: Any, meter: str) -> None:
    wanted: Any = {"event_name": "calls", "payload": {"stripe_customer_id": "cus_stranger", "value": "1"}}
    identifier = late_shop.client.v2.billing.meter_events.create(wanted).identifier
    assert samples(reported(late_shop))[0]["request"] == {"identifier": identifier}


def test_the_auditor_takes_back_what_was_rejected_later(late_shop: Any, meter: str) -> None:
    customer = late_shop.customer()
    late_shop.send(customer, "2")
    late_shop.fault("rejected_later", times=1, code="meter_event_customer_not_found")
    late_shop.send(customer, "3", identifier="row-2")
    advance(late_shop, 10)
    assert [total["value"] for total in late_shop.audit()["totals"]] == ["2"]
