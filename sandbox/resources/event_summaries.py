"""Meter event summaries: the only way to see what was counted, late and as floats, newest first.

Late, because Stripe aggregates asynchronously: a reading shows here only after the account's `summary_lag_s`. A page is
made of its own windows alone: a summary's id tells where its window lies, so no cursor has to be searched for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from sandbox.billing.periods import Period
from sandbox.books import Books
from sandbox.calls.call import Call
from sandbox.errors import ApiError, invalid
from sandbox.metering.usage import WINDOW_S, Reading, aggregated, latest_per_window, visible
from sandbox.pages import LIMIT_DEFAULT, LIMIT_MAX
from sandbox.parameters.params import Params
from sandbox.resources.customers import existing as existing_customer
from sandbox.resources.meters import Meter
from sandbox.resources.meters import existing as existing_meter
from sandbox.wire import JsonObject

MINUTE_S = 60
WINDOWS_MAX = 20_000
"""Over two years of hours: what one call may have to look through where empty windows are not shown."""
UNITS = {"hour": "hour", "day": "UTC day"}
DIGEST_LENGTH = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which windows of which usage a call asks for."""

    books: Books
    meter: Meter
    customer: str
    windows: range
    """Their starts."""
    is_grouped: bool
    """Whether by hours or days; else the whole range is one summary, of usage or of none."""

    def identity(self, index: int) -> str:
        """The same when asked again, and telling the window's place."""
        start = self.windows[index]
        digest = self.books.ids.letters(self.meter.id, self.customer, str(start), str(self.windows.step))
        return f"mtrusg_{start:010x}{digest[:DIGEST_LENGTH]}"

    def index(self, identity: str) -> int | None:
        """The place of the window of this id; None where it is no id of these windows."""
        try:
            index = self.windows.index(int(identity.removeprefix("mtrusg_")[:10], 16))
        except ValueError:
            return None
        return index if self.identity(index) == identity else None

    def shown(self, indexes: Iterable[int]) -> Iterable[JsonObject]:
        for index in indexes:
            readings = self._readings(self.windows[index])
            if readings or not self.is_grouped or self.books.settings.summaries_show_empty_windows:
                yield self._render(index, aggregated(readings, self.meter.formula))

    def _readings(self, start: int) -> list[Reading]:
        end = start + self.windows.step + self.books.settings.summary_end_is_inclusive
        period = Period(start=start, end=end)
        return counted(self.books, self.meter, self.customer, period=period, until=seen_until(self.books))

    def _render(self, index: int, value: Decimal) -> JsonObject:
        return {
            "id": self.identity(index),
            "object": "billing.meter_event_summary",
            "aggregated_value": float(value),  # a JSON number at Stripe too: precision ends here, not before
            "end_time": self.windows[index] + self.windows.step,
            "livemode": self.books.livemode,
            "meter": self.meter.id,
            "start_time": self.windows[index],
        }


def list_page(call: Call) -> JsonObject:
    params, meter = call.params, existing_meter(call, call.id)
    customer = existing_customer(call, params.required("customer"), param="customer").id
    is_grouped = "value_grouping_window" in params
    asked = Asked(books=call.books, meter=meter, customer=customer, windows=_windows(params), is_grouped=is_grouped)
    limit = params.within("limit", 1, LIMIT_MAX) or LIMIT_DEFAULT
    before, after = _cursor(asked, params, "ending_before"), _cursor(asked, params, "starting_after")
    params.nothing_else()
    if before is not None and after is not None:
        raise invalid(
            "You may only specify one of these parameters: ending_before, starting_after.", param="ending_before"
        )
    if before is not None:
        found = list(islice(asked.shown(range(before + 1, len(asked.windows))), limit + 1))
        chosen = found[:limit][::-1]
    else:
        start = len(asked.windows) if after is None else after
        found = list(islice(asked.shown(range(start - 1, -1, -1)), limit + 1))
        chosen = found[:limit]
    return {"object": "list", "data": chosen, "has_more": len(found) > limit, "url": call.path}


def counted(books: Books, meter: Meter, customer: str, *, period: Period, until: int) -> list[Reading]:
    """The readings of the period that count, of what came until an instant, that one included."""
    if meter.event_time_window is None:
        within = books.usage.between(period.start, period.end, meter=meter.id, customer=customer)
        return visible(within, until=until)
    width_s = WINDOW_S[meter.event_time_window]  # what replaces a reading may lie outside of the period
    start, end = period.start // width_s * width_s, -(-period.end // width_s) * width_s
    around = visible(books.usage.between(start, end, meter=meter.id, customer=customer), until=until)
    kept = latest_per_window(around, meter.event_time_window)
    return [reading for reading in kept if period.start <= reading.timestamp < period.end]


def seen_until(books: Books) -> int:
    """Up to when Stripe's aggregation has seen what it received: what summaries and previews show."""
    return books.now - books.settings.summary_lag_s


def _windows(params: Params) -> range:
    window = params.choice("value_grouping_window", tuple(UNITS)) or ""
    step_s = WINDOW_S.get(window, MINUTE_S)
    start, end = _aligned(params, "start_time", step_s), _aligned(params, "end_time", step_s)
    if end <= start:
        raise invalid("The end_time must be after the start_time.", param="end_time")
    if window and (end - start) // step_s > WINDOWS_MAX:
        raise invalid("The time range is too large for this value_grouping_window.", param="end_time")
    return range(start, end, step_s if window else end - start)


def _aligned(params: Params, name: str, step_s: int) -> int:
    params.required(name)
    instant = params.instant(name) or 0
    if instant % step_s:
        unit = UNITS.get(params.text("value_grouping_window") or "", "minute")
        raise invalid(f"The {name} must be aligned with {unit} boundaries.", param=name)
    return instant


def _cursor(asked: Asked, params: Params, name: str) -> int | None:
    identity = params.text(name)
    if identity is None:
        return None
    index = asked.index(identity)
    if index is None:
        raise ApiError(400, f"No such object: '{identity}'", param=name, code="resource_missing")
    return index
