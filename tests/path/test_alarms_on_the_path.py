"""Money of what went the whole way: a real stretch, and a price of which Stripe has to be asked."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from local.guarded import ROOT
from service.alarms import Kind
from service.ledger.alarms import Alarm, alarms
from workers._watching import Watcher

WRONG = """
INSERT INTO mirror (account, kind, object_id, as_of, is_deleted, facts, object)
SELECT 'default', 'wrong', 'one', now(), false, jsonb_build_object(
    'customer', customer, 'meter', 'tokens', 'item', item, 'price', price, 'stretch_start', starts_at, 'units', 500
), '{}'
FROM stretch
"""
TIERED = {
    "currency": "usd",
    "billing_scheme": "tiered",
    "tiers_mode": "graduated",
    "tiers": [{"up_to": 1000, "unit_amount": 0}, {"up_to": "inf", "unit_amount": 3}],
    "product_data": {"name": "Tokens"},
}
A_TESTS = Kind(name="a_test", question=str(ROOT / "tests" / "alarms" / "wrong"), sentence="A test's.", remedy="end it")


@pytest.fixture
def watch(path: Any) -> Callable[..., list[Alarm]]:
    """Ask a question of our own, with Stripe at hand."""
    timing = replace(path.settings.timing, watch_s=0, unread_wait_s=0)

    def ask() -> list[Alarm]:
        Watcher(path.ledger, path.gateway, "default", timing=timing, kinds=[A_TESTS]).watch_due()
        with path.ledger.transaction() as tx:
            return alarms(tx, "default")

    return ask


def test_a_price_whose_tiers_no_event_told_is_read_from_stripe_and_rates_the_alarm(path: Any, watch: Any) -> None:
    recurring = {"interval": "month", "usage_type": "metered", "meter": path.make_meter("tokens").id}
    price = path.stripe.v1.prices.create({**TIERED, "recurring": recurring}).id
    began = int(datetime.now(UTC).timestamp()) - 86_400
    wanted = {"customer": path.make_customer(), "items": [{"price": price}], "backdate_start_date": began}
    path.sealed(900, 300, customer=path.stripe.v1.subscriptions.create(wanted).customer)
    path.write(WRONG)

    (before,) = watch()
    (after,) = watch()

    assert (before.amount, after.amount, after.rated_by) == (None, 600, price)  # 200 of 1,200 cost 3 cents each
