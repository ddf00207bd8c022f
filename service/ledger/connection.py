"""How the ledger is reached: a pool of warm connections, and SQL kept in files.

PostgreSQL being away, or unable for now (a deadlock, a full disk), is one exception, `LedgerUnavailable`, that every
step answers by waiting and asking again: whatever the interrupted transaction was, it either committed whole or left
nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypeVar

import psycopg
from psycopg.rows import TupleRow, class_row
from psycopg_pool import ConnectionPool, PoolTimeout

from service.crash_points import after_statement, before_commit, before_statement

SQL = Path(__file__).parent.parent / "sql"
POOL_WAIT_S = 10  # longer than a restart of PostgreSQL, shorter than a worker's patience
STATEMENT_TIMEOUT_MS = 60_000  # no statement of ours takes seconds; one that does holds locks others wait for
IDLE_IN_TRANSACTION_TIMEOUT_MS = 30_000  # a frozen holder must not keep its row locks for ever
CAUSE_MAX = 500  # characters of PostgreSQL's words; they may quote a whole statement
SHUTTING_DOWN = frozenset({"57P01", "57P02", "57P03"})  # ended by its operator, after a crash, or still starting

Transaction = psycopg.Connection[TupleRow]
Row = TypeVar("Row")


class LedgerUnavailable(Exception):
    """PostgreSQL did not answer: check DATABASE_URL and that the server runs. Nothing is lost; the step repeats."""


class Ledger:
    """A pool of connections to one ledger. Thread-safe; open one a process."""

    def __init__(self, database_url: str, *, connections_max: int = 4) -> None:
        self._on_connect: Callable[[Transaction], object] = _nothing
        self._pool: ConnectionPool[Transaction] = ConnectionPool(
            database_url,
            min_size=1,
            max_size=connections_max,
            timeout=POOL_WAIT_S,
            kwargs={
                "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS}"
                f" -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT_MS} -c timezone=UTC",
                "connect_timeout": POOL_WAIT_S,
            },
            configure=self._configure,
            open=True,
        )

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A transaction that commits at the end of the block and rolls back on any exception."""
        with self._connection() as connection:
            yield connection
            before_commit(connection)

    @contextmanager
    def statement(self) -> Iterator[Transaction]:
        """For one statement that is a transaction by itself: it commits as it ends, in one round trip."""
        with self._connection() as connection:
            connection.autocommit = True
            try:
                before_statement(connection)
                yield connection
                after_statement(connection)
            finally:
                if not connection.closed:
                    connection.autocommit = False

    def on_connect(self, ask: Callable[[Transaction], object]) -> None:
        """Call `ask` in a transaction of each new connection from now on; where it raises, nobody gets to use that."""
        self._on_connect = ask

    def close(self) -> None:
        self._pool.close()

    @contextmanager
    def _connection(self) -> Iterator[Transaction]:
        try:
            with self._pool.connection() as connection:
                yield connection
        except (psycopg.OperationalError, PoolTimeout) as away:
            if _is_gone(away):
                self._pool.check()  # a crash ends all idle connections: not one failure for each of them
            raise LedgerUnavailable(_told(away)) from away

    def _configure(self, connection: Transaction) -> None:
        with connection.transaction():
            self._on_connect(connection)


def fetch(tx: Transaction, row: type[Row], name: str, /, **parameters: object) -> list[Row]:
    """Run `service/sql/NAME.sql` and return its rows as instances of `row`, a dataclass with the columns' names."""
    with tx.cursor(row_factory=class_row(row)) as cursor:
        return cursor.execute(sql(name), parameters).fetchall()


def fetch_one(tx: Transaction, row: type[Row], name: str, /, **parameters: object) -> Row | None:
    with tx.cursor(row_factory=class_row(row)) as cursor:
        return cursor.execute(sql(name), parameters).fetchone()


def execute(tx: Transaction, name: str, /, **parameters: object) -> int:
    """Run `service/sql/NAME.sql`; returns how many rows it touched."""
    return tx.execute(sql(name), parameters).rowcount


def _nothing(_: Transaction) -> None:
    """What most ledgers ask of a new connection."""


def _told(away: psycopg.OperationalError | PoolTimeout) -> str:
    """What is wrong, for a person: an unreachable server and a full disk want different remedies."""
    cause = " ".join(str(away).split())[:CAUSE_MAX]
    if _is_gone(away):
        return f"{LedgerUnavailable.__doc__} ({cause})"
    return f"PostgreSQL could not do this: {cause}. Nothing is lost; the step repeats."


def _is_gone(away: psycopg.OperationalError | PoolTimeout) -> bool:
    """Whether the server, or the way to it, is gone, rather than unable to do this one thing."""
    state = getattr(away, "sqlstate", None)
    return state is None or state.startswith("08") or state in SHUTTING_DOWN


@cache
def sql(name: str) -> bytes:
    """The text of `service/sql/NAME.sql`."""
    return (SQL / f"{name}.sql").read_bytes()
