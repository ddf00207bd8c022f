"""What becomes of a backfill's entry when it is reverted: a claim a rule."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from service.backfilling import Ending, FilledIn, Gone, Keep, TakeBack, Wait, end

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
AT = NOW - timedelta(days=3)
FILLED = FilledIn(
    formula="sum",
    state="confirmed",
    units=Decimal(5),
    is_taken_back=False,
    is_moving=False,
    is_late=False,
    lateness=None,
    is_billed_now=True,
    at=AT,
    now=NOW,
)
FINAL = {"lateness": "late: the invoice in_1"}
OLD = {"at": NOW - timedelta(days=34)}


def ending(**facts: Any) -> Ending:
    return end(replace(FILLED, **facts))


@pytest.mark.parametrize("state", [None, "sealed", "accepted", "confirmed"])
def test_what_counts_is_taken_back_at_the_time_at_which_it_counts(state: str | None) -> None:
    assert ending(state=state) == TakeBack(at=AT)


@pytest.mark.parametrize("facts", [FINAL, OLD])
def test_what_its_own_period_cannot_bill_any_more_is_taken_back_now(facts: dict[str, Any]) -> None:
    assert ending(**facts) == TakeBack(at=NOW)
    assert isinstance(ending(**facts, is_billed_now=False), Keep)


@pytest.mark.parametrize("facts", [{"units": Decimal(0)}, {"is_taken_back": True}, {"state": "cancelled", "units": 0}])
def test_what_counts_no_more_is_gone(facts: dict[str, Any]) -> None:
    assert ending(**facts) == Gone()


@pytest.mark.parametrize(
    "facts",
    [{"state": "unknown"}, {"state": "held"}, {"state": "conflict"}, {"is_moving": True}, {"formula": "unknown"}],
)
def test_what_may_or_may_not_count_waits(facts: dict[str, Any]) -> None:
    assert ending(**facts) == Wait()


@pytest.mark.parametrize("facts", [{"formula": "count"}, {"formula": "last"}, {"state": "refused"}, {"is_late": True}])
def test_what_no_entry_takes_back_is_kept_with_the_reason(facts: dict[str, Any]) -> None:
    assert isinstance(ending(**facts), Keep)
