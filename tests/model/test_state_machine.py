"""Whatever step comes next, what must hold of a lane holds; and a machine that looks for mistakes finds them."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from model.ledger import MakeLane
from model.machine import LaneMachine
from model.mutations import MUTATIONS

BOUNDED = settings(
    max_examples=200,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
SOUGHT = settings(BOUNDED, max_examples=1_000, phases=[Phase.generate], report_multiple_bugs=False)
FOUND = [
    "a new identifier for each attempt",
    "a new key for each attempt",
    "an attempt that nobody closed was not made",
    "nothing is ever held",
    "what is held is sent anew when asked for",
]
"""The mistakes that show within some dozens of orders of steps; histories catch all of them."""


def machine(name: str) -> type[LaneMachine]:
    """The machine over a lane with this mistake."""
    made: MakeLane = MUTATIONS[name]
    return type("MutatedMachine", (LaneMachine,), {"make_lane": staticmethod(made)})


def test_no_order_of_steps_bills_twice_or_loses_usage() -> None:
    run_state_machine_as_test(LaneMachine, settings=BOUNDED)


@pytest.mark.parametrize("name", FOUND)
def test_the_machine_finds_a_mistake(name: str) -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine(name), settings=SOUGHT)
