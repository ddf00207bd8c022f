"""What `make lanes` calls wrong: each claim is broken by one figure, and the rest says nothing."""

from dataclasses import replace

import pytest

from chaos.lanes.figures import LIMIT, LOCK, Figures

SOUND = Figures(
    phase="plain",
    fault="none",
    meter_events=1_800,
    calls=1_800,
    in_flight_max=1,
    permitted_per_s=100,
    used_per_s=93.0,
    max_in_a_second=98,
    hot_turns=2,
    hot_turn_s_max=9.0,
    hot_share=0.02,
    cold_wait_s_max=15.0,
    hot_turns_max=1,
    limited=0,
    lock_timeouts=0,
    slowed=0,
    doubled=0,
    lost=0,
    is_drained=True,
    stall_s_max=0.0,
)
BROKEN = {
    "2 calls were in flight on one lane": {"in_flight_max": 2},
    "only 79 of 100 calls": {"used_per_s": 79.0},
    "101 calls came within a second": {"max_in_a_second": 101},
    "the hot lane began 3 turns": {"hot_turns_max": 3},
    "the limiter slowed down 1 times": {"slowed": 1},
    "1 calls met another": {"lock_timeouts": 1},
    "no lock_timeout was met": {"fault": LOCK},
    "no 429 was met": {"fault": LIMIT},
    "1 meter events were counted twice": {"doubled": 1},
    "1 meter events were not counted": {"lost": 1},
    "not everything was sent": {"is_drained": False},
}


def test_a_phase_in_which_all_held_has_no_wrongs():
    assert SOUND.wrongs() == []


@pytest.mark.parametrize("wrong", BROKEN)
def test_each_broken_claim_is_told_with_its_phase_and_figure(wrong):
    (told,) = replace(SOUND, **BROKEN[wrong]).wrongs()

    assert told.startswith(f"plain: {wrong}")


def test_calls_that_the_machine_held_up_may_arrive_together():
    assert replace(SOUND, max_in_a_second=108, stall_s_max=0.1).wrongs() == []
