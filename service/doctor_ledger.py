"""The doctor on PostgreSQL: whether it keeps what it committed, and whether its schema is ours."""

from typing import Protocol

import psycopg

from service.findings import Finding, fail, fine, warn
from service.ledger.accounts import pinned_account
from service.ledger.connection import Transaction
from service.ledger.overview import ledger_time
from service.migrate import MigrationEdited, pending
from service.redaction import scrub
from service.settings import Settings

TIMEOUT_S = 3
VERSION_MIN = 140_000  # as server_version_num has it
DURABLE = {
    "fsync": ("what was committed is gone, or torn, when the machine stops", {"on"}),
    "full_page_writes": ("pages can be torn when the machine stops", {"on"}),
    "synchronous_commit": (
        "rows acknowledged to producers are gone when the server stops",
        {"on", "remote_apply", "remote_write", "local"},
    ),
}


class LedgerServer(Protocol):
    """As much of a connection to PostgreSQL as is asked here."""

    def version(self) -> int: ...

    def shown(self, name: str) -> str: ...


def check_ledger(settings: Settings) -> list[Finding]:
    if not settings.database_url:
        return [
            fail(
                "ledger", "DATABASE_URL is not set", "set it to a PostgreSQL, such as postgresql://localhost/meterpost"
            )
        ]
    try:
        with connect(settings.database_url) as connection:
            return [*examine_server(_Asked(connection)), *_examine_schema(connection, settings.account)]
    except psycopg.OperationalError as away:
        text = f"PostgreSQL does not answer: {scrub(str(away)).strip()}"
        return [fail("ledger", text, "start it, or correct DATABASE_URL")]


def examine_server(server: LedgerServer) -> list[Finding]:
    """Whether this PostgreSQL may be trusted with the ledger."""
    version = server.version()
    text = f"PostgreSQL {version // 10_000}.{version % 10_000} answers"
    reach = fine("ledger", text) if version >= VERSION_MIN else fail("ledger", text, "use PostgreSQL 14 or later")
    return [reach, *(_examine_setting(server, name, harm, good=good) for name, (harm, good) in DURABLE.items())]


def connect(url: str, *, timeout_s: int = TIMEOUT_S) -> Transaction:
    """A connection that changes nothing, and whose every statement ends within `timeout_s`."""
    options = f"-c statement_timeout={timeout_s}s -c default_transaction_read_only=on -c timezone=UTC"
    return psycopg.connect(url, connect_timeout=TIMEOUT_S, options=options)


def examine_migrations(behind: list[str]) -> Finding:
    if behind:
        text = f"the schema is {len(behind)} migration(s) behind: {', '.join(behind)}"
        return fail("migrations", text, "run meterpost migrate")
    return fine("migrations", "the schema is up to date")


class _Asked:
    def __init__(self, connection: Transaction) -> None:
        self._connection = connection

    def version(self) -> int:
        return self._connection.info.server_version

    def shown(self, name: str) -> str:
        found = self._connection.execute("SELECT current_setting(%s)", [name]).fetchone()
        assert found is not None, "PostgreSQL has had this setting since version 9"
        return str(found[0])


def _examine_setting(server: LedgerServer, name: str, harm: str, *, good: set[str]) -> Finding:
    value = server.shown(name)
    if value in good:
        return fine(f"ledger {name}", f"{name} is {value}")
    return fail(f"ledger {name}", f"{name} is {value}: {harm}", f"set `{name} = on` in postgresql.conf")


def _examine_schema(connection: Transaction, account: str) -> list[Finding]:
    try:
        behind = pending(connection)
    except MigrationEdited as edited:
        return [
            fail("migrations", str(edited), "install the release that this ledger was migrated with, or a later one")
        ]
    migrations = examine_migrations(behind)
    return [migrations] if behind else [migrations, *_examine_account(connection, account)]


def _examine_account(connection: Transaction, account: str) -> list[Finding]:
    pinned = pinned_account(connection, account)
    if pinned is None or pinned.paused_until is None:
        return []
    if pinned.openings == 0 and pinned.paused_until <= ledger_time(connection):
        return []
    until, why = pinned.paused_until.isoformat(timespec="seconds"), scrub(pinned.pause_reason or "")
    text = f"no calls before {until}, and then one to try: {why}"
    remedy = "mend the key (STRIPE_SECRET_KEY) or the network, whichever it says; calls then go on alone"
    return [warn("account", text, remedy)]
