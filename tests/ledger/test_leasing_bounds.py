"""However PostgreSQL plans it, a worker takes as many lanes as it asked for and no more."""

import pytest

from service.ledger import confirming, lanes
from service.timing import FAST

# What statistics that are out of date can bring about by themselves: the lanes are looped over, and the limit within.
WORST_PLAN = (
    "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_hashagg = off; "
    "SET LOCAL enable_sort = off; SET LOCAL enable_material = off"
)


@pytest.fixture
def forty_lanes(books):
    books.meter()
    books.record(*(books.row(f"cus_{number}", 1, at=0) for number in range(40)))
    books.seal()
    books.write("UPDATE lane SET confirm_at = ledger_now()")
    return books


def test_no_more_lanes_are_leased_than_were_asked_for(forty_lanes):
    with forty_lanes.ledger.transaction() as tx:
        tx.execute(WORST_PLAN)
        leased = lanes.lease_lanes(tx, "default", lanes_max=8, timing=FAST)

    assert len(leased) == 8
    assert forty_lanes.ask("SELECT count(*) FROM lane WHERE lease_until IS NOT NULL") == [8]


def test_no_more_lanes_are_claimed_to_be_confirmed_than_a_pass_may_read(forty_lanes, monkeypatch):
    monkeypatch.setattr(confirming, "LANES_MAX", 8)
    with forty_lanes.ledger.transaction() as tx:
        tx.execute(WORST_PLAN)
        claimed = confirming.claim_lanes_to_confirm(tx, "default", timing=FAST)

    assert len(claimed) == 8
