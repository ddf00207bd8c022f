"""Event summaries: aligned, aggregated by the meter's formula, paged, late."""

from typing import Any

import pytest
import stripe

HOUR_S = 3_600


@pytest.fixture
def noon(shop: Any) -> int:
    """The start of an hour that lies a few hours back."""
    return int(shop.sandbox.now()) // HOUR_S * HOUR_S - 5 * HOUR_S


def values(page: Any) -> list[float]:
    return [summary.aggregated_value for summary in page.data]


@pytest.mark.parametrize(("formula", "expected"), [("sum", 12.5), ("count", 3.0), ("last", 4.5)])
def test_usage_is_aggregated_by_the_meters_formula(shop: Any, noon: int, formula: str, expected: float) -> None:
    meter, customer = shop.meter(formula=formula), shop.customer()
    shop.send(customer, "4.5", timestamp=noon + 50)
    shop.send(customer, "3", timestamp=noon + 10)
    shop.send(customer, "5", timestamp=noon + 20)
    assert values(shop.summaries(meter, customer, noon, noon + 60)) == [expected]


def test_the_start_is_included_and_the_end_is_not(shop: Any, noon: int) -> None:
    meter, customer = shop.meter(), shop.customer()
    shop.send(customer, "1", timestamp=noon)
    shop.send(customer, "2", timestamp=noon + 60)
    assert values(shop.summaries(meter, customer, noon, noon + 60)) == [1.0]


def test_without_a_grouping_one_summary_tells_the_whole_range(shop: Any, noon: int) -> None:
    meter, customer = shop.meter(), shop.customer()
    page = shop.summaries(meter, customer, noon, noon + 3 * HOUR_S)
    assert [(found.start_time, found.end_time) for found in page.data] == [(noon, noon + 3 * HOUR_S)]


def test_hours_come_newest_first(shop: Any, noon: int) -> None:
    meter, customer = shop.meter(), shop.customer()
    shop.send(customer, "1", timestamp=noon)
    shop.send(customer, "2", timestamp=noon + HOUR_S)
    page = shop.summaries(meter, customer, noon, noon + 2 * HOUR_S, value_grouping_window="hour")
    assert [(found.start_time, found.aggregated_value) for found in page.data] == [(noon + HOUR_S, 2.0), (noon, 1.0)]


def test_days_are_utc_days(shop: Any) -> None:
    meter, customer = shop.meter(), shop.customer()
    midnight = shop.sandbox.now() // 86_400 * 86_400
    shop.send(customer, "1", timestamp=midnight - 1)
    page = shop.summaries(meter, customer, midnight - 86_400, midnight, value_grouping_window="day")
    assert values(page) == [1.0]


def test_a_bare_list_has_ten_summaries_and_says_that_there_are_more(shop: Any, noon: int) -> None:
    page = shop.summaries(shop.meter(), shop.customer(), noon - 20 * HOUR_S, noon, value_grouping_window="hour")
    assert len(page.data) == 10
    assert page.has_more


def test_paging_by_cursor_reaches_every_summary_once(shop: Any, noon: int) -> None:
    meter, customer = shop.meter(), shop.customer()
    page = shop.summaries(meter, customer, noon - 25 * HOUR_S, noon, value_grouping_window="hour", limit=10)
    starts = [summary.start_time for summary in page.auto_paging_iter()]
    assert starts == [noon - hours * HOUR_S for hours in range(1, 26)]


def test_hours_without_usage_can_be_left_out(shop: Any, noon: int) -> None:
    meter, customer = shop.meter(), shop.customer()
    shop.settings(summaries_show_empty_windows=False)
    shop.send(customer, "1", timestamp=noon)
    page = shop.summaries(meter, customer, noon - 5 * HOUR_S, noon + HOUR_S, value_grouping_window="hour")
    assert values(page) == [1.0]


def test_one_hour_without_usage_can_be_left_out_too(shop: Any, noon: int) -> None:
    meter, customer = shop.meter(), shop.customer()
    shop.settings(summaries_show_empty_windows=False)
    assert values(shop.summaries(meter, customer, noon, noon + HOUR_S, value_grouping_window="hour")) == []
    assert values(shop.summaries(meter, customer, noon, noon + HOUR_S)) == [0]


@pytest.mark.parametrize(
    ("window", "unit", "shift"), [("", "minute", 1), ("hour", "hour", 60), ("day", "UTC day", HOUR_S)]
)
def test_a_range_that_is_not_aligned_is_refused(shop: Any, window: str, unit: str, shift: int) -> None:
    midnight = shop.sandbox.now() // 86_400 * 86_400
    more = {"value_grouping_window": window} if window else {}
    with pytest.raises(stripe.InvalidRequestError, match=f"must be aligned with {unit} boundaries") as refusal:
        shop.summaries(shop.meter(), shop.customer(), midnight - 86_400 + shift, midnight, **more)
    assert (refusal.value.http_status, refusal.value.param) == (400, "start_time")


@pytest.mark.parametrize("minutes", [0, -1])
def test_an_empty_range_is_refused(shop: Any, noon: int, minutes: int) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="end_time"):
        shop.summaries(shop.meter(), shop.customer(), noon, noon + 60 * minutes)


@pytest.mark.parametrize("limit", [0, 101])
def test_a_limit_outside_1_to_100_is_refused(shop: Any, noon: int, limit: int) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="limit"):
        shop.summaries(shop.meter(), shop.customer(), noon, noon + 60, limit=limit)


def test_an_unknown_meter_is_not_found(shop: Any, noon: int) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such meter") as refusal:
        shop.summaries("mtr_none", shop.customer(), noon, noon + 60)
    assert refusal.value.http_status == 404


def test_a_customer_that_is_unknown_is_a_wrong_parameter(shop: Any, noon: int) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such customer") as refusal:
        shop.summaries(shop.meter(), "cus_none", noon, noon + 60)
    assert (refusal.value.http_status, refusal.value.param) == (400, "customer")


def test_usage_shows_only_after_the_lag(own_shop: Any) -> None:
    meter, customer = own_shop.meter(), own_shop.customer()
    own_shop.settings(summary_lag_s=600)
    now = own_shop.sandbox.control("POST", "clock", frozen=True)["now"]
    minute = now // 60 * 60
    own_shop.send(customer, "5", timestamp=minute)
    assert values(own_shop.summaries(meter, customer, minute, minute + 60)) == [0.0]
    own_shop.sandbox.control("POST", "clock", advance=600)
    assert values(own_shop.summaries(meter, customer, minute, minute + 60)) == [5.0]


def test_in_a_window_of_aggregated_usage_the_last_received_replaces_the_others(shop: Any, noon: int) -> None:
    meter, customer = shop.meter(event_time_window="hour"), shop.customer()
    shop.send(customer, "10", timestamp=noon + 50)
    shop.send(customer, "7", timestamp=noon + 10)
    shop.send(customer, "1", timestamp=noon + HOUR_S)
    assert values(shop.summaries(meter, customer, noon, noon + 2 * HOUR_S)) == [8.0]


def test_a_decimal_sum_is_exact_before_it_becomes_a_float(shop: Any, noon: int) -> None:
    meter, customer = shop.meter(), shop.customer()
    shop.send(customer, "0.1", timestamp=noon)
    shop.send(customer, "0.2", timestamp=noon)
    assert values(shop.summaries(meter, customer, noon, noon + 60)) == [0.3]


def test_the_end_may_be_included_too(shop: Any, noon: int) -> None:
    meter, customer = shop.meter(), shop.customer()
    shop.settings(summary_end_is_inclusive=True)
    shop.send(customer, "1", timestamp=noon)
    shop.send(customer, "2", timestamp=noon + 60)
    shop.send(customer, "4", timestamp=noon + 61)
    assert values(shop.summaries(meter, customer, noon, noon + 60)) == [3.0]


def test_the_page_before_a_summary_holds_the_newer_ones_next_to_it(shop: Any, noon: int) -> None:
    meter, customer = shop.meter(), shop.customer()
    window = {"value_grouping_window": "hour"}
    oldest = shop.summaries(meter, customer, noon - 9 * HOUR_S, noon, **window).data[-1].id
    page = shop.summaries(meter, customer, noon - 9 * HOUR_S, noon, ending_before=oldest, limit=2, **window)
    assert [found.start_time for found in page.data] == [noon - 7 * HOUR_S, noon - 8 * HOUR_S]
    assert page.has_more


def test_before_the_newest_summary_there_is_nothing(shop: Any, noon: int) -> None:
    meter, customer = shop.meter(), shop.customer()
    window = {"value_grouping_window": "hour"}
    newest = shop.summaries(meter, customer, noon - 9 * HOUR_S, noon, **window).data[0].id
    page = shop.summaries(meter, customer, noon - 9 * HOUR_S, noon, ending_before=newest, **window)
    assert (page.data, page.has_more) == ([], False)


def test_paging_over_hours_with_usage_alone_leaves_none_out(shop: Any, noon: int) -> None:
    meter, customer = shop.meter(), shop.customer()
    shop.settings(summaries_show_empty_windows=False)
    for hours in (2, 5, 6, 20):
        shop.send(customer, str(hours), timestamp=noon - hours * HOUR_S)
    page = shop.summaries(meter, customer, noon - 25 * HOUR_S, noon, value_grouping_window="hour", limit=2)
    assert page.has_more
    assert [found.aggregated_value for found in page.auto_paging_iter()] == [2.0, 5.0, 6.0, 20.0]


def test_a_summary_has_the_same_id_when_asked_again(shop: Any, noon: int) -> None:
    meter, customer = shop.meter(), shop.customer()
    ids = {shop.summaries(meter, customer, noon, noon + 60).data[0].id for _ in range(2)}
    assert len(ids) == 1


def test_two_cursors_at_once_are_refused(shop: Any, noon: int) -> None:
    meter, customer = shop.meter(), shop.customer()
    cursor = shop.summaries(meter, customer, noon, noon + 60).data[0].id
    with pytest.raises(stripe.InvalidRequestError, match="only specify one of these"):
        shop.summaries(meter, customer, noon, noon + 60, starting_after=cursor, ending_before=cursor)


@pytest.mark.parametrize(
    "cursor", ["mtrusg_none", "mtrusg_", "x", "mtrusg_006b49d200AAAAAAAAAAAAAA", "mtrusg_-00000000f"]
)
def test_a_cursor_that_is_no_summary_of_the_range_is_refused(shop: Any, noon: int, cursor: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such") as refusal:
        shop.summaries(shop.meter(), shop.customer(), noon, noon + 60, starting_after=cursor)
    assert (refusal.value.http_status, refusal.value.param) == (400, "starting_after")


def test_a_cursor_of_another_customer_is_refused(shop: Any, noon: int) -> None:
    meter = shop.meter()
    cursor = shop.summaries(meter, shop.customer(), noon, noon + 60).data[0].id
    with pytest.raises(stripe.InvalidRequestError, match="No such"):
        shop.summaries(meter, shop.customer(), noon, noon + 60, starting_after=cursor)


@pytest.mark.parametrize("name", ["customer", "start_time", "end_time"])
def test_what_a_summary_needs_is_a_missing_parameter(shop: Any, noon: int, name: str) -> None:
    wanted: Any = {"customer": shop.customer(), "start_time": noon, "end_time": noon + 60}
    del wanted[name]
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.billing.meters.event_summaries.list(shop.meter(), wanted)
    assert (refusal.value.code, refusal.value.param) == ("parameter_missing", name)


def test_hours_without_end_are_refused(shop: Any, noon: int) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="too large"):
        shop.summaries(shop.meter(), shop.customer(), 0, noon, value_grouping_window="hour")


@pytest.mark.parametrize("start", ["-60", "1e3", "99999999999999", "soon"])
def test_a_time_that_is_none_is_refused(shop: Any, noon: int, start: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.summaries(shop.meter(), shop.customer(), start, noon)
    assert refusal.value.http_status == 400


def test_a_replaced_reading_counts_in_no_range(shop: Any) -> None:
    meter, customer = shop.meter(event_time_window="day"), shop.customer()
    midnight = shop.sandbox.now() // 86_400 * 86_400 - 86_400
    shop.send(customer, "10", timestamp=midnight + 60)
    shop.send(customer, "7", timestamp=midnight + 2 * HOUR_S)
    page = shop.summaries(meter, customer, midnight, midnight + 3 * HOUR_S, value_grouping_window="hour")
    assert values(page) == [7.0, 0.0, 0.0]


def test_a_sum_may_be_negative(shop: Any, noon: int) -> None:
    meter, customer = shop.meter(), shop.customer()
    shop.send(customer, "1", timestamp=noon)
    shop.send(customer, "-2.5", timestamp=noon)
    assert values(shop.summaries(meter, customer, noon, noon + 60)) == [-1.5]


def test_the_last_of_one_second_is_the_last_received(shop: Any, noon: int) -> None:
    meter, customer = shop.meter(formula="last"), shop.customer()
    for value in ("3", "9", "4"):
        shop.send(customer, value, timestamp=noon)
    assert values(shop.summaries(meter, customer, noon, noon + 60)) == [4.0]


def test_a_resting_meter_still_tells_what_it_counted(shop: Any, noon: int) -> None:
    meter, customer = shop.meter(), shop.customer()
    shop.send(customer, "5", timestamp=noon)
    shop.v1.billing.meters.deactivate(meter)
    assert values(shop.summaries(meter, customer, noon, noon + 60)) == [5.0]
