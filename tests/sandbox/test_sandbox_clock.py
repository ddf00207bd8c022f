"""The sandbox's clock: it stands still, jumps and runs fast, and never passes what is still to be done."""

import asyncio
from typing import Any

import pytest
import stripe

from sandbox.clock import Clock
from sandbox.timekeeper import Timekeeper


class Wall:
    """A wall clock that a test turns by hand."""

    def __init__(self) -> None:
        self.reading = 1_000.0

    def __call__(self) -> float:
        return self.reading


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def clock(wall: Wall) -> Clock:
    return Clock(wall=wall)


def test_a_sandbox_begins_at_the_instant_it_is_told(start_sandbox: Any) -> None:
    with start_sandbox("--clock", "2026-01-31T12:00:00Z", "--speed", "0") as sandbox:
        assert sandbox.now() == 1_769_860_800


def test_a_frozen_clock_moves_only_when_advanced(own_sandbox: Any) -> None:
    stopped = own_sandbox.control("POST", "clock", frozen=True)["now"]
    assert own_sandbox.now() == stopped
    assert own_sandbox.control("POST", "clock", advance=3_600)["now"] == stopped + 3_600


def test_a_clock_jumps_to_an_instant(own_sandbox: Any) -> None:
    own_sandbox.control("POST", "clock", frozen=True)
    assert own_sandbox.control("POST", "clock", to=2_000_000_000)["now"] == 2_000_000_000


def test_a_clock_set_running_again_goes_on_from_where_it_stood(own_sandbox: Any) -> None:
    own_sandbox.control("POST", "clock", frozen=True, advance=1_000)
    before = own_sandbox.now()
    assert before <= own_sandbox.control("POST", "clock", frozen=False)["now"] <= before + 5


def test_a_clock_may_run_fast(clock: Clock, wall: Wall) -> None:
    clock.run_at(3_600)
    wall.reading += 2
    assert clock.now() == 1_000 + 7_200


def test_time_does_not_pass_what_is_still_to_be_done(clock: Clock, wall: Wall) -> None:
    clock.at(1_010, lambda: None)
    wall.reading = 5_000
    assert clock.now() == 1_010
    clock.strike()
    assert clock.now() == 5_000


def test_what_falls_due_is_done_in_order_each_at_its_own_instant(clock: Clock, wall: Wall) -> None:
    seen: list[tuple[str, int]] = []
    clock.at(1_020, lambda: seen.append(("second", clock.now())))
    clock.at(1_010, lambda: seen.append(("first", clock.now())))
    clock.at(1_020, lambda: seen.append(("third", clock.now())))
    wall.reading = 2_000
    clock.strike()
    assert seen == [("first", 1_010), ("second", 1_020), ("third", 1_020)]


def test_what_falls_due_may_bring_more_that_falls_due(clock: Clock, wall: Wall) -> None:
    seen: list[int] = []
    clock.at(1_010, lambda: clock.at(1_015, lambda: seen.append(clock.now())))
    wall.reading = 2_000
    clock.strike()
    assert seen == [1_015]


def test_what_is_put_on_the_agenda_too_late_is_done_at_once(clock: Clock) -> None:
    seen: list[int] = []
    clock.at(5, lambda: seen.append(clock.now()))
    clock.strike()
    assert seen == [1_000]


def test_the_real_time_until_an_instant_follows_the_speed(clock: Clock) -> None:
    clock.run_at(10)
    assert clock.real_s_until(1_100) == 10
    clock.run_at(0)
    assert clock.real_s_until(1_100) is None


def test_a_jump_lets_a_failed_delivery_be_repeated_on_the_way(own_shop: Any, receiver: Any) -> None:
    own_shop.sandbox.control("POST", "clock", frozen=True)
    own_shop.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.created"]})
    receiver.answers = [500, 500]
    own_shop.customer()
    receiver.wait(1)
    own_shop.sandbox.control("POST", "clock", advance=3_600)
    assert len(receiver.wait(3)) == 3


@pytest.mark.parametrize(
    "asked", [{"advance": -1}, {"advance": "soon"}, {"speed": -1}, {"to": True}, {"advance": 1e12}]
)
def test_a_clock_refuses_what_is_no_time(own_sandbox: Any, asked: dict[str, Any]) -> None:
    with pytest.raises(OSError, match="400"):
        own_sandbox.control("POST", "clock", **asked)


def test_a_reset_leaves_nothing_of_before(own_shop: Any) -> None:
    own_shop.fault("lock_timeout")
    own_shop.sandbox.control("POST", "clock", frozen=True, advance=3_600)
    sandbox = own_shop.sandbox
    assert sandbox.control("POST", "reset") == {"reset": True}
    assert sandbox.control("GET", "faults") == {"data": []}
    assert not sandbox.control("GET", "clock")["frozen"]
    with pytest.raises(stripe.AuthenticationError):
        own_shop.customer()


def test_a_reset_ends_what_would_have_happened(own_shop: Any) -> None:
    own_shop.subscription(own_shop.customer(), own_shop.price(own_shop.meter()).id)
    assert own_shop.sandbox.control("GET", "clock")["next_due"] is not None
    own_shop.sandbox.control("POST", "reset")
    assert own_shop.sandbox.control("GET", "clock")["next_due"] is None


def test_a_sandbox_begins_anew_where_it_began(start_sandbox: Any) -> None:
    with start_sandbox("--clock", "2026-01-31T12:00:00Z", "--speed", "0") as sandbox:
        sandbox.control("POST", "clock", advance=3_600)
        sandbox.control("POST", "reset")
        assert sandbox.now() == 1_769_860_800


def test_a_call_on_the_way_of_a_jump_is_answered_at_the_instant_that_is_reached(clock: Clock) -> None:
    answered: list[int] = []

    async def call() -> None:
        answered.append(clock.now())

    async def nobody_to_tell() -> None: ...

    async def jump() -> None:
        clock.at(2_000, lambda: calls.append(asyncio.create_task(call())))
        clock.at(3_000, lambda: None)
        await Timekeeper(clock=clock, deliveries_answered=nobody_to_tell).travel(4_000)

    calls: list[asyncio.Task[None]] = []
    asyncio.run(jump())
    assert answered == [2_000]
