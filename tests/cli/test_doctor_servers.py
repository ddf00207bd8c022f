"""The doctor on real servers, from the command line."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import redis
from rq import Worker

from service.timing import STANDARD
from service.wakeups import WakeUps

Command = Callable[..., Any]


@pytest.fixture
def deployment(
    queue: str, ledger: str, sandbox_server: Any, monkeypatch: pytest.MonkeyPatch, bare: object
) -> Iterator["redis.Redis"]:
    """All that a deployment needs but running workers; its Redis, whose settings are put back afterwards."""
    monkeypatch.setenv("STRIPE_SECRET_KEY", sandbox_server.new_account())
    monkeypatch.setenv("STRIPE_API_BASE", sandbox_server.url)
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", "whsec_made_up")
    with redis.Redis.from_url(queue, decode_responses=True) as server:
        before = {name: server.config_get(name)[name] for name in ("appendonly", "appendfsync", "maxmemory-policy")}
        yield server
        for name, value in before.items():
            server.config_set(name, value)


def _bad(ran: Any) -> dict[str, str]:
    return {one["name"]: one["severity"] for one in ran.json["findings"] if one["severity"] != "fine"}


@pytest.fixture
def known_flaws() -> dict[str, str]:
    """The tests' PostgreSQL writes nothing in time, and nobody answers wake-ups there."""
    unsafe = ("ledger fsync", "ledger full_page_writes", "ledger synchronous_commit")
    return {"workers": "warning"} | dict.fromkeys(unsafe, "failure")


def test_every_check_answers_on_a_whole_deployment(
    command: Command, deployment: Any, known_flaws: dict[str, str]
) -> None:
    ran = command("doctor", "--json")

    assert _bad(ran) == known_flaws
    assert {one["name"] for one in ran.json["findings"]} >= {"queue", "migrations", "clocks", "stripe key", "meters"}
    assert (ran.code, ran.json["ok"]) == (1, False)


@pytest.mark.parametrize(
    ("name", "value"), [("appendonly", "no"), ("appendfsync", "everysec"), ("maxmemory-policy", "allkeys-lru")]
)
def test_a_redis_that_may_lose_rows_is_found(
    command: Command, deployment: Any, known_flaws: dict[str, str], *, name: str, value: str
) -> None:
    deployment.config_set(name, value)

    assert _bad(command("doctor", "--json")) == known_flaws | {f"queue {name}": "failure"}


def test_a_step_whose_wake_ups_nobody_answers_is_named(command: Command, deployment: Any) -> None:
    for step in ("submit", "apply"):
        Worker([WakeUps(deployment, step, timing=STANDARD).queue], connection=deployment).register_birth()  # type: ignore[no-untyped-call]

    assert "nobody answers the wake-ups of subscribe" in command("doctor").out


def test_a_ledger_without_its_tables_is_found(
    command: Command, deployment: Any, known_flaws: dict[str, str], ledger: str
) -> None:
    with psycopg.connect(ledger) as tx:
        tx.execute("DELETE FROM migration")

    assert _bad(command("doctor", "--json")) == known_flaws | {"migrations": "failure"}


def test_a_key_of_the_wrong_mode_is_found(
    command: Command, deployment: Any, known_flaws: dict[str, str], ledger: str
) -> None:
    with psycopg.connect(ledger) as tx:
        tx.execute("INSERT INTO account (account, stripe_account, is_live) VALUES ('default', 'acct_other', true)")

    never_asked = {"caught up": "warning", "watching": "warning"}  # an account is pinned, and no process runs
    assert _bad(command("doctor", "--json")) == known_flaws | never_asked | {"stripe key": "failure"}


def test_a_meter_that_rows_name_and_stripe_does_not_know_is_found(
    command: Command, deployment: Any, known_flaws: dict[str, str], ledger: str
) -> None:
    with psycopg.connect(ledger) as tx:
        tx.execute("INSERT INTO lane (account, customer, meter) VALUES ('default', 'cus_1', 'nowhere')")

    assert _bad(command("doctor", "--json")) == known_flaws | {"meters": "failure"}


def test_a_paused_account_is_found_with_the_reason(
    command: Command, deployment: Any, books: Any, sandbox_server: Any
) -> None:
    books.execute(
        "INSERT INTO account (account, stripe_account, is_live, paused_until, pause_reason)"
        " VALUES ('default', 'acct_other', true, ledger_now() + '1 hour', 'Invalid API Key')"
    )

    assert "Invalid API Key" in command("doctor").out


def test_everything_missing_is_one_line_each_with_its_remedy(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_API_BASE", "http://127.0.0.1:1")

    ran = command("doctor")

    bad = [line for line in ran.out.splitlines() if line.startswith("✗")]
    assert len(bad) == 5
    assert all(" → " in line for line in bad)
    assert ran.code == 1


def test_settings_that_cannot_be_read_are_all_that_is_told(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERPOST_TIMING", "slow")

    ran = command("doctor")

    assert (ran.code, ran.out.count("\n")) == (2, 1)
    assert "METERPOST_TIMING" in ran.out


def test_no_secret_is_in_what_the_doctor_says(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_API_BASE", "http://127.0.0.1:1")
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_c4n4ryc4n4ryc4n4ry")
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:c4n4ryc4@127.0.0.1:1/none")
    monkeypatch.setenv("BROKER_URL", "redis://:c4n4ryc4@127.0.0.1:1/0")

    assert "c4n4ryc4" not in command("doctor", "--json").out
