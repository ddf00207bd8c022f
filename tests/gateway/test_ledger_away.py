"""What the ledger says when PostgreSQL does not do what was asked: the remedy depends on the cause."""

import psycopg
import pytest

from service.ledger import Ledger, LedgerUnavailable

ABSENT = "check DATABASE_URL"


@pytest.fixture
def ledger(database_url):
    ledger = Ledger(database_url)
    yield ledger
    ledger.close()


@pytest.mark.parametrize(("state", "cause"), [("40P01", "deadlock"), ("53100", "disk is full"), ("57014", "cancelled")])
def test_what_a_running_server_cannot_do_is_told_in_its_words_and_not_as_an_absent_server(ledger, state, cause):
    with pytest.raises(LedgerUnavailable, match=cause) as raised, ledger.transaction() as tx:
        tx.execute(f"DO $$ BEGIN RAISE EXCEPTION '{cause}' USING ERRCODE = '{state}'; END $$".encode())

    assert ABSENT not in str(raised.value)


def test_a_connection_that_was_ended_is_told_as_an_absent_server_with_the_cause(ledger):
    with pytest.raises(LedgerUnavailable, match=ABSENT) as raised, ledger.transaction() as tx:
        tx.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    assert "administrator command" in str(raised.value)


def test_a_single_statement_commits_by_itself_and_leaves_the_connection_as_it_was(ledger, database_url):
    with ledger.statement() as tx:
        tx.execute("INSERT INTO account (account, stripe_account, is_live) VALUES ('default', 'acct_1', true)")
        with psycopg.connect(database_url) as other:
            seen = other.execute("SELECT count(*) FROM account").fetchone()

    with ledger.transaction() as tx:
        assert (seen, tx.autocommit) == ((1,), False)


def test_a_single_statement_on_a_connection_that_was_ended_is_told_and_the_next_one_works(ledger):
    with pytest.raises(LedgerUnavailable, match=ABSENT), ledger.statement() as tx:
        tx.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with ledger.statement() as tx:
        assert tx.execute("SELECT 1").fetchone() == (1,)


def test_after_a_crash_of_the_server_one_transaction_fails_and_not_one_for_each_connection(ledger, database_url):
    with ledger.transaction() as one, ledger.transaction() as two, ledger.transaction() as three:
        backends = [tx.info.backend_pid for tx in (one, two, three)]
    with psycopg.connect(database_url) as operator:
        operator.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", [backends])

    with pytest.raises(LedgerUnavailable), ledger.transaction() as tx:
        tx.execute("SELECT 1")

    with ledger.transaction() as tx:
        assert tx.execute("SELECT 1").fetchone() == (1,)
