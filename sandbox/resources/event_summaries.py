"""Meter event summaries: the only way to see what was counted, late and as floats, newest first.

Late, because Stripe aggregates asynchronously: a reading shows here only after the account's `summary_lag_s`.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from sandbox.books import Books
from sandbox.call import Call
from sandbox.errors import invalid
from sandbox.pages import page
from sandbox.params import Params
from sandbox.periods import Period
from sandbox.resources.customers import existing as existing_customer
from sandbox.resources.meters import Meter
from sandbox.resources.meters import existing as existing_meter
from sandbox.usage import WINDOW_S, Reading, aggregated, latest_per_window, visible
from sandbox.wire import JsonObject

MINUTE_S = 60
WINDOWS_MAX = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    id: str
    meter: str
    livemode: bool
    start: int
    end: int
    value: Decimal

    def render(self) -> JsonObject:
        return {
            "id": self.id,
            "object": "billing.meter_event_summary",
            "aggregated_value": float(self.value),  # a JSON number at Stripe too: precision ends here, not before
            "end_time": self.end,
            "livemode": self.livemode,
            "meter": self.meter,
            "start_time": self.start,
        }


def list_page(call: Call) -> JsonObject:
    meter = existing_meter(call, call.id)
    customer = existing_customer(call, call.params.required("customer"), param="customer").id
    start, end = _range(call.params)
    window = call.params.choice("value_grouping_window", ("hour", "day"))
    width_s = WINDOW_S[window] if window else end - start
    readings = counted(call.books, meter, customer, period=Period(start=start, end=end), until=seen_until(call.books))
    return page(call, _summaries(call, meter, readings, windows=range(start, end, width_s)), Summary.render)


def counted(books: Books, meter: Meter, customer: str, *, period: Period, until: int) -> list[Reading]:
    """The readings of the period that count, of those received until an instant, that one included."""
    readings = books.usage.between(period.start, period.end, meter=meter.id, customer=customer)
    return latest_per_window(visible(readings, received_until=until), meter.event_time_window)


def seen_until(books: Books) -> int:
    """Up to when Stripe's aggregation has seen what it received: what summaries and previews show."""
    return books.now - books.settings.summary_lag_s


def _range(params: Params) -> tuple[int, int]:
    params.required("start_time"), params.required("end_time")
    start, end = params.instant("start_time") or 0, params.instant("end_time") or 0
    window = params.text("value_grouping_window") or ""
    step_s = WINDOW_S.get(window, MINUTE_S)
    for name, instant in (("start_time", start), ("end_time", end)):
        if instant % step_s:
            unit = {"hour": "hour", "day": "UTC day"}.get(window, "minute")
            raise invalid(f"The {name} must be aligned with {unit} boundaries.", param=name)
    if end <= start:
        raise invalid("The end_time must be after the start_time.", param="end_time")
    if (end - start) // step_s > WINDOWS_MAX and window:
        raise invalid("The time range is too large for this value_grouping_window.", param="end_time")
    return start, end


def _summaries(call: Call, meter: Meter, readings: list[Reading], *, windows: range) -> Iterable[Summary]:
    by_window: defaultdict[int, list[Reading]] = defaultdict(list)
    for reading in readings:
        by_window[(reading.timestamp - windows.start) // windows.step].append(reading)
    customer = call.params.required("customer")
    for index in range(len(windows) - 1, -1, -1):
        within = by_window.get(index, [])
        if within or len(windows) == 1 or call.books.settings.summaries_show_empty_windows:
            yield Summary(
                id=f"mtrusg_{call.books.ids.letters(meter.id, customer, str(windows[index]), str(windows.step))}",
                meter=meter.id,
                livemode=call.books.livemode,
                start=windows[index],
                end=windows[index] + windows.step,
                value=aggregated(within, meter.formula),
            )
