"""The plan of a run is a function of its seed, and leaves no kind of fault out."""

from decimal import Decimal

import pytest

from chaos.faults import FAULTS
from chaos.load import BATCH_ROWS, Load
from chaos.plan import KILLS, KINDS, TIMES_MIN, by_kind, make_plan

LOAD = Load(seed=1, batches=40, customers=tuple(f"cus_{n}" for n in range(9)), meter="chaos", begins_at=1_800_000_000)


def test_the_same_seed_makes_the_same_plan():
    one, another = (make_plan(5, batches=1000, faults=200, kills=100) for _ in range(2))
    assert one == another


def test_another_seed_makes_another_plan():
    assert make_plan(5, batches=1000, faults=200, kills=100) != make_plan(6, batches=1000, faults=200, kills=100)


@pytest.mark.parametrize(("faults", "kills"), [(150, 50), (1_300, 1_000)])
def test_every_kind_comes_often_enough_and_the_kills_as_often_as_wanted(faults, kills):
    plan = make_plan(5, batches=10_000, faults=faults, kills=kills)
    counted = by_kind(plan.steps)
    assert min(counted[kind] for kind in KINDS) >= TIMES_MIN
    assert (len(plan.steps), sum(counted[kind] for kind in KILLS) >= kills) == (faults, True)


def test_every_batch_is_published_once():
    plan = make_plan(5, batches=1000, faults=200, kills=100)
    published = [batch for step in plan.steps for batch in step.batches] + list(plan.tail)
    assert published == list(range(1000))


def test_too_few_faults_for_every_kind_are_refused():
    with pytest.raises(ValueError, match="at least"):
        make_plan(5, batches=1000, faults=20, kills=0)


def test_every_kind_can_be_played():
    assert FAULTS.keys() == set(KINDS)


def test_the_rows_of_a_batch_follow_from_the_seed():
    assert LOAD.rows(3) == Load.of(LOAD.told()).rows(3)


def test_a_row_that_is_told_twice_counts_once():
    row_ids = {row["row_id"] for batch in range(40) for row in LOAD.rows(batch)}
    told = sum(LOAD.units(range(40)).values())
    assert len(row_ids) == 40 * BATCH_ROWS
    assert told == sum(Decimal(row["value"]) for batch in range(40) for row in LOAD.new_rows(batch))
