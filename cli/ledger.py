"""The ledger as a command reads it: one connection, for as long as the question takes.

No pool: a command asks once, and an address that nobody answers should say so at once and not after a pool's patience.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from cli.exits import Failed
from service import settings
from service.crash_points import before_commit, crash_point
from service.ledger import LedgerUnavailable, Transaction
from service.migrate import pending
from service.redaction import scrub

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 30_000  # somebody waits at a terminal


@contextmanager
def reading() -> Iterator[Transaction]:
    """A read-only transaction on an up-to-date ledger. Raises LedgerUnavailable, or Failed when it is behind."""
    with connected(options=f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c default_transaction_read_only=on") as tx:
        _require_up_to_date(tx)
        yield tx


@contextmanager
def writing() -> Iterator[Transaction]:
    """A connection to an up-to-date ledger, on which each `with committing(tx):` commits at its end."""
    with connected(options=f"-c statement_timeout={STATEMENT_TIMEOUT_MS}", is_autocommit=True) as tx:
        _require_up_to_date(tx)
        yield tx


@contextmanager
def committing(tx: Transaction, *, is_dry: bool = False) -> Iterator[None]:
    """One transaction on what `writing` gave: all that a person orders, or nothing; rolled back where `is_dry`."""
    with tx.transaction(force_rollback=is_dry):
        yield
        crash_point("desk.before_commit")
        if not is_dry:
            before_commit(tx)
    crash_point("desk.after_commit")


@contextmanager
def connected(*, options: str = "", is_autocommit: bool = False) -> Iterator[Transaction]:
    chosen = settings.load()
    chosen.require("DATABASE_URL")
    try:
        with psycopg.connect(
            chosen.database_url,
            connect_timeout=CONNECT_TIMEOUT_S,
            options=f"-c timezone=UTC {options}",
            autocommit=is_autocommit,
        ) as connection:
            yield connection
    except psycopg.OperationalError as away:
        raise LedgerUnavailable(scrub(f"{LedgerUnavailable.__doc__}\n{away}")) from away


def _require_up_to_date(tx: Transaction) -> None:
    if behind := pending(tx):
        raise Failed(f"the ledger is {len(behind)} migration(s) behind ({', '.join(behind)}): run meterpost migrate")
