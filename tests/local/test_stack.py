"""The stack starts what is missing, and only that."""

import os
from typing import Any

import psycopg
import pytest
import redis

from local.guarded import ServerError
from local.sandbox import ask_sandbox
from local.stack import Stack

NAMED = {
    "BROKER_URL": "redis://127.0.0.1:1/0",
    "REDIS_URL": "redis://127.0.0.1:1/1",
    "DATABASE_URL": "postgresql://127.0.0.1:1/ledger",
}


def test_a_bare_environment_gets_real_servers() -> None:
    with Stack(env={}) as stack:
        with psycopg.connect(stack.env["DATABASE_URL"]) as ledger:
            assert ledger.execute("SELECT 7").fetchone() == (7,)
        with redis.Redis.from_url(stack.env["BROKER_URL"]) as queues:
            assert queues.ping()


def test_rows_and_wake_ups_have_a_database_each() -> None:
    with Stack(env={"DATABASE_URL": NAMED["DATABASE_URL"]}) as stack:
        addresses = stack.env["BROKER_URL"], stack.env["REDIS_URL"]
    assert [address.rpartition("/")[2] for address in addresses] == ["0", "1"]


def test_what_is_named_is_left_as_it_is() -> None:
    with Stack(env=NAMED) as stack:
        assert (stack.env, stack.servers) == (NAMED, {})


def test_the_sandbox_knows_the_key_that_children_are_given() -> None:
    with Stack(env=NAMED, with_sandbox=True) as stack:
        report = ask_sandbox(stack.env["STRIPE_API_BASE"], "/_sandbox/audit?account=acct_local")
    assert report["totals"] == []


def test_a_migration_that_fails_says_why() -> None:
    with Stack(env=NAMED | {"PATH": os.defpath}) as stack, pytest.raises(ServerError, match="meterpost migrate ended"):
        stack.migrate()


def test_a_ledger_is_migrated(postgres_url: str, database_url: str) -> None:
    with Stack(env=NAMED | {"DATABASE_URL": database_url, "PATH": os.defpath}) as stack:
        stack.migrate()
    with psycopg.connect(database_url) as ledger:
        assert ledger.execute("SELECT count(*) > 0 FROM migration").fetchone() == (True,)


def test_faults_end_with_the_test_that_made_them(sandbox_server: Any) -> None:
    sandbox_server.fault(kind="rate_limited")
    sandbox_server.forget()
    assert ask_sandbox(sandbox_server.url, "/_sandbox/faults") == {"data": []}


def test_accounts_of_the_sandbox_are_never_shared(sandbox_server: Any) -> None:
    assert sandbox_server.new_account() != sandbox_server.new_account()
