"""Row ids made by the client sort by time and are valid UUIDs of version 7."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from meterpost.row_ids import new_row_id, row_id_at

moments = st.integers(min_value=0, max_value=2**62)
chances = st.integers(min_value=0, max_value=2**62 - 1)


@given(moments, st.integers(min_value=1_000, max_value=10**15), chances, chances)
def test_a_later_row_id_sorts_later(now_ns: int, later_ns: int, chance: int, other_chance: int) -> None:
    assert row_id_at(now_ns, chance=chance) < row_id_at(now_ns + later_ns, chance=other_chance)


@given(moments, chances)
def test_a_row_id_is_a_uuid_of_version_7(now_ns: int, chance: int) -> None:
    made = uuid.UUID(row_id_at(now_ns, chance=chance))
    assert (made.variant, made.version) == (uuid.RFC_4122, 7)


def test_row_ids_of_the_same_moment_differ() -> None:
    assert len({new_row_id() for _ in range(1000)}) == 1000
