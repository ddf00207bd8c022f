"""When a signup's turn comes: bells, pauses, restores and rests."""

import threading

import pytest
import redis

from service.ledger.actions import Order
from service.ledger.pauses import pause
from service.outcomes import Answer, Reach, Scope, Unavailable, Unknown
from service.timing import STANDARD
from service.wakeups import WakeUps, WakeUpWorker, connect
from workers._rests import Rests
from workers.dispatch import Dispatcher

REFUSED = Unavailable(answer=Answer(reach=Reach.ANSWERED, status=401), scope=Scope.ACCOUNT)
FAILED = Unknown(answer=Answer(reach=Reach.MAYBE_SENT), scope=Scope.STRIPE)
BUSY = Unknown(answer=Answer(reach=Reach.ANSWERED, status=409), scope=Scope.LANE)


@pytest.fixture
def bells(shop):
    with connect(shop.settings.redis_url) as connection:
        yield {step: WakeUps(connection, step, timing=STANDARD) for step in ("submit", "subscribe", "apply")}


@pytest.fixture
def dispatcher(shop, bells):
    return Dispatcher(shop.ledger, **bells)


def answer_all(shop, bells):
    worker = WakeUpWorker(bells["subscribe"], {"subscribe": shop.subscriber.drain}, stopping=threading.Event())
    worker._install_signal_handlers = lambda: None
    worker.work(burst=True, logging_level="ERROR")


def test_losing_all_of_redis_loses_no_signup_that_is_recorded(shop, dispatcher, bells):
    customer = shop.tell()
    assert dispatcher.ring() == 1
    with redis.Redis.from_url(shop.settings.redis_url) as connection:
        connection.flushdb()

    assert [dispatcher.ring(), dispatcher.ring()] == [1, 0]
    answer_all(shop, bells)

    assert len(shop.made(customer)) == 1
    assert dispatcher.ring() == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE account SET paused_until = ledger_now() + interval '1 hour'",
        "INSERT INTO epoch (cause, compared_at, gap_from) VALUES ('test', now(), now())",
    ],
)
def test_nothing_is_called_for_while_the_account_rests_or_a_restore_waits_for_a_person(shop, dispatcher, statement):
    shop.tell()
    shop.write(statement)

    assert dispatcher.ring() == 0
    shop.work()

    assert shop.steps() == []


def test_a_pause_of_the_account_is_one_of_its_subscriptions(shop):
    shop.tell()
    order = Order(actor="ada", reason="INC-42")
    with shop.ledger.transaction() as tx:
        pause(tx, "default", "*", order=order)

    shop.work()

    assert shop.steps() == []


def test_a_refused_key_is_rested_for_and_one_failure_is_not():
    rests = Rests(STANDARD)
    for outcome in (FAILED, BUSY, FAILED, FAILED):
        rests.judge(outcome)
    assert not rests.is_resting()

    rests.judge(FAILED)

    assert rests.is_resting()
    refused = Rests(STANDARD)
    refused.judge(REFUSED)
    assert refused.is_resting()
