"""What cases follow each other on: servers that stay, and a ledger, queues and a sandbox that are fresh for each case.

A ledger is emptied rather than made: making a database takes as long as the rest of a case. Only a case that migrates
gets a new one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from local.sandbox import ask_sandbox, make_key
from service.migrate import migrate

KEY, ACCOUNT = "sk_test_crashes", "acct_crashes"
WEBHOOK_SECRET = "whsec_crashes"  # noqa: S105 — of a sandbox on this machine
# Without the triggers that keep facts from being deleted. Nobody of the case before is connected any more.
EMPTY = """
SELECT pg_terminate_backend(pid, 5000)
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid();
SET session_replication_role = replica;
DO $$
DECLARE
    of_ledger regclass;
BEGIN
    FOR of_ledger IN
        SELECT oid
        FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
            AND relname NOT IN ('migration', 'ledger_clock')
    LOOP
        EXECUTE format('DELETE FROM %s', of_ledger);
    END LOOP;
END $$;
UPDATE ledger_clock SET ahead_by = DEFAULT;
SELECT setval(seqrelid, seqstart, false) FROM pg_sequence;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    postgres_url: str
    database: str
    broker_url: str
    redis_url: str
    sandbox_url: str
    files: Path

    def prepare(self) -> None:
        self.files.mkdir()
        self._run(self.postgres_url, f"CREATE DATABASE {self.database}")
        migrate(self._url(self.database))

    @contextmanager
    def fresh(self, *, is_migrated: bool) -> Iterator[dict[str, str]]:
        """The environment of a case's processes."""
        for url in (self.broker_url, self.redis_url):
            with redis.Redis.from_url(url) as connection:
                connection.flushdb()
        ask_sandbox(self.sandbox_url, "/_sandbox/reset", {})
        make_key(self.sandbox_url, KEY, account=ACCOUNT)
        if is_migrated:
            self._run(self._url(self.database), EMPTY)
            yield self._env(self.database)
            return
        bare = f"{self.database}_bare"
        self._run(self.postgres_url, f"CREATE DATABASE {bare}")
        try:
            yield self._env(bare)
        finally:
            self._run(self.postgres_url, f"DROP DATABASE {bare} WITH (FORCE)")

    def _env(self, database: str) -> dict[str, str]:
        return {
            "DATABASE_URL": self._url(database),
            "BROKER_URL": self.broker_url,
            "REDIS_URL": self.redis_url,
            "STRIPE_SECRET_KEY": KEY,
            "STRIPE_API_BASE": self.sandbox_url,
            "STRIPE_METER_EVENTS_BASE": self.sandbox_url,
            "STRIPE_WEBHOOK_SECRETS": WEBHOOK_SECRET,
            "METERPOST_TIMING": "fast",
            "METERPOST_METER_EVENTS_PER_S": "1000",
            "METERPOST_CALLS_PER_S": "1000",
            "METERPOST_LOG_FORMAT": "json",
        }

    def _url(self, database: str) -> str:
        return f"{self.postgres_url.rpartition('/')[0]}/{database}"

    def _run(self, database_url: str, statement: str) -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(statement.encode())
