"""A run over three periods accounts for every unit, and its judgement lets nothing pass."""

from datetime import timedelta

import pytest

from chaos.periods.run import Plan, play


@pytest.mark.parametrize("hold_s", [0, 86_400], ids=["drafts left to Stripe", "drafts held"])
def test_every_unit_of_three_periods_is_on_its_invoice_or_in_an_alarm(hold_s: int) -> None:
    """Its servers and its sixty looks take their time."""
    judgement = play(Plan(seed=3, hold_s=hold_s, only=("gone",), look=timedelta(days=2)))

    assert judgement.wrong == []
    assert judgement.alarms["discarded"] == (1, 0)
    assert ("closing" in judgement.alarms) is (hold_s == 0)
