"""Error reports, read from whatever JSON came: both documented shapes, and everything else without an exception."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.error_reports import SAMPLES_MAX, ErrorReport, Sample, error_report
from service.mirrors import Unreadable

METER = {"id": "mtr_1", "type": "billing.meter", "url": "/v1/billing/meters/mtr_1"}
JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=5,
)


def report(*requests: Any, count: int = 1, meter: Any = METER, **changed: Any) -> Any:
    samples = [{"error_message": "No such customer", "request": request} for request in requests]
    types = [{"code": "meter_event_customer_not_found", "error_count": count, "sample_errors": samples}]
    told = {
        "developer_message_summary": f"There are {count} invalid events",
        "reason": {"error_count": count, "error_types": types},
        "validation_start": "2024-08-28T20:54:00.000Z",
        "validation_end": "2024-08-28T20:54:10.000Z",
    }
    return {"id": "evt_1", "related_object": meter, "data": told | changed}


def test_a_report_says_of_which_meter_when_how_many_and_what() -> None:
    assert error_report(report({"identifier": "mp-1"}, count=40)) == ErrorReport(
        meter_stripe_id="mtr_1",
        validation_start=datetime(2024, 8, 28, 20, 54, tzinfo=UTC),
        validation_end=datetime(2024, 8, 28, 20, 54, 10, tzinfo=UTC),
        error_count=40,
        codes="meter_event_customer_not_found",
        summary="There are 40 invalid events",
        samples=(Sample(code="meter_event_customer_not_found", message="No such customer", told="mp-1"),),
    )


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"identifier": "mp-1"}, "mp-1"),
        ({"id": "", "idempotency_key": "mp-1.1"}, "mp-1.1"),
        ({"id": "req_1", "idempotency_key": "mp-1"}, "mp-1"),
        ({"identifier": "", "idempotency_key": "mp-1"}, "mp-1"),
        ({"identifier": 7}, None),
        ({"id": "req_1"}, None),
        (None, None),
        ("mp-1", None),
    ],
)
def test_a_sample_names_an_identifier_or_a_key_or_nothing(request_: Any, told: str | None) -> None:
    read = error_report(report(request_))

    assert isinstance(read, ErrorReport)
    assert [sample.told for sample in read.samples] == [told]


@pytest.mark.parametrize("meter", [{}, None, "mtr_1", {"id": None}])
def test_a_report_may_be_about_no_meter(meter: Any) -> None:
    read = error_report(report({"identifier": "mp-1"}, meter=meter))

    assert isinstance(read, ErrorReport)
    assert read.meter_stripe_id is None


def test_more_errors_of_the_types_than_of_the_report_count() -> None:
    read = error_report(report({"identifier": "mp-1"}, count=40) | {"count": 1})

    assert isinstance(read, ErrorReport)
    assert read.error_count == 40


def test_samples_without_end_are_cut_and_the_rest_is_one_that_is_not_named() -> None:
    read = error_report(report(*[{"identifier": f"mp-{number}"} for number in range(SAMPLES_MAX + 5)], count=9_999))

    assert isinstance(read, ErrorReport)
    assert (len(read.samples), read.error_count) == (SAMPLES_MAX, 9_999)


@pytest.mark.parametrize(
    "changed",
    [
        {"validation_start": None},
        {"validation_end": "soon"},
        {"validation_end": "2024-08-28T20:53:00.000Z"},
        {"validation_start": "2024-08-28T20:54:00"},
        {"reason": None},
        {"reason": {"error_count": True, "error_types": []}},
        {"reason": {"error_count": -1, "error_types": []}},
        {"reason": {"error_count": 1, "error_types": {}}},
    ],
)
def test_what_has_no_window_or_no_count_is_unreadable(changed: Any) -> None:
    assert isinstance(error_report(report({"identifier": "mp-1"}, **changed)), Unreadable)


@given(told=JSON, data=JSON, reason=JSON, types=JSON, samples=JSON)
def test_whatever_json_comes_is_a_report_or_unreadable(told, data, reason, types, samples) -> None:
    error = {"code": types, "error_count": data, "sample_errors": samples}
    whole = report(count=1, reason={"error_count": 1, "error_types": [types, error]})
    for one in (told, {"data": data}, report(reason=reason), whole):
        assert isinstance(error_report(one), ErrorReport | Unreadable)


def test_what_cannot_be_stored_is_cut_out_of_its_words() -> None:
    read = error_report(json.loads(json.dumps(report({"identifier": "mp\x00-1"}, developer_message_summary="\ud800x"))))

    assert isinstance(read, ErrorReport)
    assert (read.samples[0].told, read.summary) == ("mp-1", "?x")
