"""Every mistake somebody made would be noticed."""

import pytest

from model.history import History
from model.mutations import MUTATIONS

MUTATED_MAX = 20_000
"""Histories until a mistake must have shown itself; most do within a hundred."""


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mistake_in_the_rules_is_caught(name: str) -> None:
    played = (History(number, make_lane=MUTATIONS[name]).play() for number in range(MUTATED_MAX))
    assert next((wrong for wrong in played if wrong), None) is not None
