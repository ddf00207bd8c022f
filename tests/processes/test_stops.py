"""Stopping, forgetting and hearing: what else happens to running processes."""

import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import redis

from chaos.hostile import poison_limiter, poison_rows, poison_wakeups

STOP_S = 10

MIRRORED = "SELECT status FROM subscription WHERE subscription = %(subscription)s AND read_at IS NULL"
EDGES = "SELECT array_agg(edge_at ORDER BY edge_at) FROM period_edge WHERE customer = %(customer)s"
ALARM = "SELECT amount_rounded FROM alarm WHERE kind = 'unbilled' AND customer = %(customer)s AND cleared_at IS NULL"
DELIVERED = """
SELECT state FROM event WHERE type = 'customer.subscription.created' AND object_id = %(subscription)s
"""


def test_every_process_stops_within_ten_seconds_of_sigterm_and_nothing_is_lost(
    works: Any, eventually: Callable[..., bool]
) -> None:
    load = works.begin()
    before = {name: works.supervisor.pid(name) for name in works.supervisor.names}
    for name in before:
        works.supervisor.kill(name, signal.SIGTERM)
    stopped = [eventually(lambda n=n: works.supervisor.pid(n) != before[n], patience_s=STOP_S) for n in before]
    load.end()
    assert all(stopped)
    assert works.settles(load)
    assert works.billed(load) == load.sent


def test_wake_ups_that_are_all_lost_are_rung_again(works: Any) -> None:
    load = works.begin()
    works.forget_wakeups()
    load.end()
    works.forget_wakeups()
    assert works.settles(load)
    assert works.billed(load) == load.sent


def test_whatever_is_written_to_redis_every_row_reaches_stripe_once(works: Any, tmp_path: Path) -> None:
    load, proof = works.begin(), tmp_path / "proof"
    with redis.Redis.from_url(works.stack.env["REDIS_URL"]) as connection:
        poison_wakeups(connection, proof)
        poison_limiter(connection)
    with redis.Redis.from_url(works.stack.env["BROKER_URL"]) as connection:
        items = poison_rows(connection)
    load.end()
    assert works.settles(load)
    assert works.billed(load) == load.sent
    assert works.ask("SELECT count(*) FROM quarantine") == items
    assert not proof.exists()


def test_a_subscription_made_at_stripe_is_mirrored_by_webhook(works: Any, eventually: Callable[..., bool]) -> None:
    made = works.subscribe("heard")
    assert eventually(lambda: works.ask(MIRRORED, subscription=made.id) == "active")
    assert works.ask(DELIVERED, subscription=made.id) == "applied"


def test_period_edges_of_a_webhook_break_buckets(works: Any, eventually: Callable[..., bool]) -> None:
    made = works.subscribe("edged")
    item = made["items"].data[0]
    works.use(made.customer, "edged", at=datetime.now(UTC) - timedelta(hours=2))
    expected = [datetime.fromtimestamp(at, UTC) for at in (item.current_period_start, item.current_period_end)]
    assert eventually(lambda: works.ask(EDGES, customer=made.customer) == expected)


def test_usage_that_nobody_bills_is_an_alarm_with_its_worth_within_our_patience(
    works: Any, eventually: Callable[..., bool]
) -> None:
    works.subscribe("unbilled")  # another customer, by the meter's only price
    customer = works.stripe.v1.customers.create({"name": "Eve"}).id
    works.use(customer, "unbilled", at=datetime.now(UTC) - timedelta(hours=2))

    assert eventually(lambda: works.ask(ALARM, customer=customer) == 1)
