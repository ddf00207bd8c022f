"""Bring the ledger's schema up to date: numbered, forward-only SQL files, each in a transaction of its own.

An advisory lock lets any number of processes call this at once. A file that has run must not be edited: its hash is
kept and compared, because a schema that differs from its files cannot be reasoned about.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import psycopg

from service.crash_points import before_commit, crash_point

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK_KEY = 0x6D657465  # "mete": any constant of ours alone
LOCK_TIMEOUT_MS = 5_000  # a migration that waits for a lock stops everyone behind it: give up early and say so


class MigrationEdited(Exception):
    """A migration file differs from what was run: restore it and put the change into a new file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    name: str
    sql: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrate(database_url: str) -> list[str]:
    """Run what has not run yet. Returns the names of the files that were run, in order."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
        connection.execute(
            "CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, digest text NOT NULL,"
            " run_at timestamptz NOT NULL DEFAULT now())"
        )
        behind = _behind(connection)
        crash_point("migrate.after_lock")
        for migration in behind:
            _run(connection, migration)
            crash_point("migrate.after_commit")
    return [migration.name for migration in behind]


def pending(connection: psycopg.Connection) -> list[str]:
    """Names of the files that have not run on this ledger."""
    exists = connection.execute("SELECT to_regclass('migration') IS NOT NULL").fetchone()
    if exists is None or not exists[0]:
        return [migration.name for migration in _files()]
    return [migration.name for migration in _behind(connection)]


def _behind(connection: psycopg.Connection) -> list[Migration]:
    rows = connection.execute("SELECT name, digest FROM migration").fetchall()
    digests: dict[str, str] = {str(name): str(digest) for name, digest in rows}
    for migration in _files():
        if digests.get(migration.name, migration.digest) != migration.digest:
            raise MigrationEdited(f"{migration.name} was edited after it ran: {MigrationEdited.__doc__}")
    return [migration for migration in _files() if migration.name not in digests]


def _files() -> list[Migration]:
    return [Migration(name=path.stem, sql=path.read_text()) for path in sorted(MIGRATIONS.glob("*.sql"))]


def _run(connection: psycopg.Connection, migration: Migration) -> None:
    with connection.transaction():
        connection.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS:d}")
        connection.execute(migration.sql.encode())
        connection.execute("INSERT INTO migration (name, digest) VALUES (%s, %s)", [migration.name, migration.digest])
        crash_point("migrate.before_commit")
        before_commit(connection)
