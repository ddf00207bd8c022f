"""Usage, against the plainest thing that could count: a list that is searched from end to end."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox.memory import Memory
from sandbox.metering.usage import Reading, Receipt, Usage, aggregated, latest_per_window, visible

VALUES = st.decimals(min_value=-(10**9), max_value=10**9, places=6)
SECONDS = st.integers(min_value=0, max_value=300)


@dataclass(frozen=True)
class Sent:
    timestamp: int
    value: Decimal
    is_cancelled: bool


SENT = st.lists(st.builds(Sent, SECONDS, VALUES, st.booleans()), max_size=40)


def counted(sent: list[Sent]) -> Usage:
    usage = Usage()
    for order, each in enumerate(sent):
        reading = Reading(
            timestamp=each.timestamp, received_at=order, order=order, identifier=str(order), value=each.value
        )
        usage.add(Receipt(meter="mtr", customer="cus", reading=reading, taken_as=str(order)), event_name="calls")
    for order, each in enumerate(sent):
        receipt = usage.receipt(str(order), event_name="calls", now=len(sent))
        if each.is_cancelled and receipt:
            usage.cancel(receipt, now=len(sent))
    return usage


@given(SENT, SECONDS, SECONDS)
def test_a_range_holds_what_lies_in_it_and_was_not_cancelled(sent: list[Sent], start: int, end: int) -> None:
    found = visible(counted(sent).between(start, end, meter="mtr", customer="cus"), until=len(sent))
    expected = [order for order, each in enumerate(sent) if start <= each.timestamp < end and not each.is_cancelled]
    assert sorted(reading.order for reading in found) == expected
    assert [reading.timestamp for reading in found] == sorted(reading.timestamp for reading in found)


@given(SENT)
def test_a_sum_is_exact(sent: list[Sent]) -> None:
    found = visible(counted(sent).between(0, 301, meter="mtr", customer="cus"), until=len(sent))
    expected = sum((Fraction(each.value) for each in sent if not each.is_cancelled), Fraction(0))
    assert Fraction(aggregated(found, "sum")) == expected


@given(SENT)
def test_of_each_hour_the_last_received_is_kept(sent: list[Sent]) -> None:
    readings = [
        Reading(timestamp=each.timestamp * 60, received_at=0, order=order, identifier="", value=each.value)
        for order, each in enumerate(sent)
    ]
    kept = {reading.order for reading in latest_per_window(readings, "hour")}
    hours = {each.timestamp // 60 for each in sent}
    assert kept == {max(order for order, each in enumerate(sent) if each.timestamp // 60 == hour) for hour in hours}


def test_a_receipt_is_forgotten_after_a_day() -> None:
    usage = counted([Sent(0, Decimal(1), is_cancelled=False)])
    assert usage.receipt("0", event_name="calls", now=86_399)
    assert usage.receipt("0", event_name="calls", now=86_400) is None


def test_memory_is_bounded_by_its_window() -> None:
    memory: Memory[Any] = Memory()
    for second in range(10_000):
        memory.keep(str(second), True, now=second, window_s=100)
    assert len(memory) == 100
