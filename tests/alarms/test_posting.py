"""What is posted of alarms: to a real receiver over HTTP, at least once, in order, whatever it answers."""

import socket
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

import pytest

from local.guarded import ROOT
from service.ledger.alarm_posts import claim_alarm_post, posts_standing
from service.timing import FAST

SECRET = "made-up-secret-of-the-tests"
STATES = "SELECT what, due_at IS NULL, status FROM alarm_post ORDER BY n"


@pytest.fixture(scope="module")
def verified() -> Callable[..., bool]:
    """The example that is given to receivers."""
    spec = spec_from_file_location("verify_alarm", ROOT / "examples" / "verify_alarm.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[..., bool] = module.verified
    return found


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[], list[dict[str, Any]]]:
    return lambda: [record.msg for record in caplog.records if isinstance(record.msg, dict)]


def test_raised_acknowledged_and_cleared_are_posted_once_each(
    world: Any, poster: Any, listener: Any, acknowledged: Callable[[], None]
) -> None:
    world.wrong(customer="cus_1", meter="tokens", units="4.50")
    world.watch()
    poster.post_due()
    acknowledged()
    world.right()
    world.watch()

    poster.post_due()
    poster.post_due()

    assert listener.types == ["alarm.raised", "alarm.acknowledged", "alarm.cleared"]
    assert [body["alarm"]["state"] for body in listener.bodies] == ["open", "acknowledged", "cleared"]
    assert listener.bodies[0]["alarm"]["units"] == "4.5"


def test_the_example_verifies_what_is_posted_and_refuses_what_another_sends(
    world: Any, poster: Any, listener: Any, verified: Callable[..., bool]
) -> None:
    world.wrong()
    world.watch()
    poster.post_due()

    ((headers, body),) = listener.heard
    signature = headers["Meterpost-Signature"]
    assert verified(body, signature, secret=SECRET)
    assert not verified(body + b" ", signature, secret=SECRET)
    assert not verified(body, signature, secret=SECRET + "x")
    assert not verified(body, signature.replace("t=1", "t=2", 1), secret=SECRET)
    assert not verified(body, "nonsense", secret=SECRET)


def test_what_clears_before_it_was_posted_is_told_whole_and_in_order(world: Any, poster: Any, listener: Any) -> None:
    world.wrong()
    world.watch()
    world.right()
    world.watch()

    poster.post_due()

    assert listener.types == ["alarm.raised", "alarm.cleared"]


def test_an_alarm_that_becomes_urgent_is_posted_once_more(world: Any, poster: Any, listener: Any) -> None:
    world.wrong()
    world.watch()
    world.wrong(is_urgent=True)
    world.watch()
    world.wrong(is_urgent=True, rows=7)
    world.watch()

    poster.post_due()

    assert listener.types == ["alarm.raised", "alarm.escalated"]


def test_a_receiver_that_is_named_later_is_told_what_is_open_by_then(world: Any, poster: Any, listener: Any) -> None:
    world.wrong("gone")
    world.wrong("open")
    world.watch(is_posting=False)
    world.right("gone")
    world.watch(is_posting=False)
    world.watch()

    poster.post_due()

    assert [body["alarm"]["subject"] for body in listener.bodies] == ["open"]


@pytest.mark.parametrize("status", [500, 404, 429, 301])
def test_what_was_refused_is_posted_again_with_the_same_id_and_body(
    world: Any, poster: Any, listener: Any, status: int
) -> None:
    world.wrong()
    world.watch()
    listener.status = status
    poster.post_due()
    left = world.ask(STATES)
    listener.status = 204

    poster.post_due()

    assert left == [("raised", False, status)]
    assert world.ask(STATES) == [("raised", True, 204)]
    assert listener.heard[0][1] == listener.heard[1][1]


def test_nothing_of_an_alarm_overtakes_what_was_refused(world: Any, poster: Any, listener: Any) -> None:
    world.wrong()
    world.watch()
    listener.status = 500
    poster.post_due()
    world.write("UPDATE alarm_post SET due_at = now() + interval '1 hour'")
    world.right()
    world.wrong("other")
    world.watch()
    listener.status = 200

    poster.post_due()

    assert [(body["type"], body["alarm"]["subject"]) for body in listener.bodies[1:]] == [("alarm.raised", "other")]


def test_a_receiver_that_drips_is_left_after_the_deadline(world: Any, poster: Any, listener: Any) -> None:
    """Longer than a second, because the shortest deadline is one."""
    world.wrong()
    world.watch()
    listener.drips = True
    begun = time.monotonic()

    poster.post_due()

    assert time.monotonic() - begun < 3
    assert world.ask(STATES) == [("raised", False, None)]


def test_redirects_are_not_followed_and_the_remedy_is_kept(world: Any, poster: Any, listener: Any) -> None:
    world.wrong()
    world.watch()
    listener.status, listener.location = 302, listener.url

    poster.post_due()

    assert len(listener.heard) == 1
    assert "redirects are not followed" in world.ask("SELECT reason FROM alarm_post")[0][0]


def test_a_receiver_that_is_away_is_tried_again_later_and_the_pass_ends(world: Any, poster_to: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = poster_to(f"http://127.0.0.1:{taken.getsockname()[1]}/")
    world.wrong("one")
    world.wrong("two")
    world.watch()

    assert away.post_due() == 0
    assert world.ask("SELECT sum(calls), count(reason), count(taken_at) FROM alarm_post") == [(1, 1, 0)]


def test_what_stays_on_this_machine_is_told_to_no_proxy(
    world: Any, poster: Any, listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    world.wrong()
    world.watch()

    poster.post_due()

    assert listener.types == ["alarm.raised"]


def test_after_days_it_is_given_up_and_that_is_said(world: Any, poster: Any, listener: Any, said: Any) -> None:
    world.wrong()
    world.watch()
    listener.status = 500
    world.write("UPDATE ledger_clock SET ahead_by = '3 days 1 second'")

    poster.post_due()
    poster.post_due()

    with world.ledger.transaction() as tx:
        standing = posts_standing(tx, "default")
    assert (len(listener.heard), standing.waiting, standing.given_up) == (1, 0, 1)
    assert [line["event"] for line in said()][-1] == "alarm_post.given_up"


def test_the_pauses_grow_and_end_at_the_longest(world: Any, poster: Any) -> None:
    poster._timing = FAST
    world.wrong()
    world.watch()
    with world.ledger.transaction() as tx:
        post = claim_alarm_post(tx, "default", claim=timedelta(0))

    waits = [poster._wait(replace(post, calls=calls)).total_seconds() for calls in (1, 2, 3, 50)]

    assert all(low <= wait <= 2 * low for wait, low in zip(waits, (0.5, 1, 2, 2.5), strict=True))


def test_a_post_that_a_process_left_behind_comes_back_under_its_id(world: Any, poster: Any, listener: Any) -> None:
    world.wrong()
    world.watch()
    with world.ledger.transaction() as tx:
        claimed = claim_alarm_post(tx, "default", claim=timedelta(seconds=30))
    poster._receiver.post(claimed.body)  # and dies
    during_the_claim = poster.post_due()
    world.write("UPDATE ledger_clock SET ahead_by = '1 minute'")

    poster.post_due()

    assert during_the_claim == 0
    assert [body["id"] for body in listener.bodies] == [listener.bodies[0]["id"]] * 2
    assert world.ask(STATES) == [("raised", True, 200)]


def test_neither_the_secret_nor_the_address_is_kept_or_logged(
    world: Any, poster: Any, listener: Any, said: Any
) -> None:
    world.wrong()
    world.watch()
    listener.status, listener.body = 500, f"bad {SECRET} at {listener.url}".encode()

    poster.post_due()

    kept = str(world.ask("SELECT alarm_post::text FROM alarm_post")) + str(said())
    assert SECRET not in kept
    assert "made_up" not in kept
    assert "127.0.0.1" in kept


def test_of_a_kind_that_is_not_posted_nobody_is_called(world: Any, poster: Any, listener: Any, said: Any) -> None:
    world.wrong()
    watcher = world.watcher()
    watcher._kinds = {"wrong": replace(watcher._kinds["wrong"], is_posted=False)}
    watcher.watch_due()

    poster.post_due()

    assert listener.heard == []
    assert "alarm.raised" not in [line["event"] for line in said()]
