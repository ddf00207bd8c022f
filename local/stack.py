"""The stack: what a meterpost on one machine stands on, for the length of a block.

A server is started for whichever of BROKER_URL, REDIS_URL and DATABASE_URL is not set, and a sandbox when
asked. One Valkey serves both queues: rows in database 0, wake-ups in database 1.
"""

import os
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from local.guarded import ROOT, Server, ServerError
from local.postgres import postgres
from local.procfile import resolved
from local.sandbox import make_key, sandbox
from local.supervisor import Supervisor
from local.valkey import valkey

MIGRATE_TIMEOUT_S = 120
SANDBOX_KEY = "sk_test_local"
SANDBOX_ACCOUNT = "acct_local"


class Stack:
    """`env` is the environment for children; `servers` holds what was started, by name.

    `data_dir` keeps the servers' files from one run to the next; without it they end with the block.
    """

    def __init__(
        self, *, data_dir: Path | None = None, with_sandbox: bool = False, env: Mapping[str, str] | None = None
    ) -> None:
        self.env = dict(os.environ if env is None else env)
        self.servers: dict[str, Server] = {}
        self._data_dir = data_dir
        self._with_sandbox = with_sandbox
        self._until_the_end = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as unless_complete:
            self._until_the_end = unless_complete
            self._start_queues()
            self._start_ledger()
            self._start_sandbox()
            self._until_the_end = unless_complete.pop_all()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._until_the_end.close()

    def migrate(self) -> None:
        """Bring the ledger up to date, as `meterpost migrate` does. Raises ServerError with what it said."""
        command = resolved(["meterpost", "migrate"])
        ran = subprocess.run(
            command, cwd=ROOT, env=self.env, timeout=MIGRATE_TIMEOUT_S, capture_output=True, text=True, check=False
        )
        if ran.returncode != 0:
            raise ServerError(f"{' '.join(command)} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}")

    def start(self, scale: Mapping[str, int] | None = None, *, log_dir: Path | None = None) -> Supervisor:
        """Start the Procfile's processes (see `Supervisor`); the end of the block stops them first."""
        supervisor = Supervisor(ROOT / "Procfile", self.env, log_dir=log_dir, scale=scale)
        return self._until_the_end.enter_context(supervisor)

    def _start_queues(self) -> None:
        missing = [name for name in ("BROKER_URL", "REDIS_URL") if not self.env.get(name)]
        if not missing:
            return
        server = self._until_the_end.enter_context(valkey(self._directory("valkey")))
        base = server.url.removesuffix("/0")
        addresses = {"BROKER_URL": f"{base}/0", "REDIS_URL": f"{base}/1"}
        self.env |= {name: addresses[name] for name in missing}
        self.servers["valkey"] = server

    def _start_ledger(self) -> None:
        if self.env.get("DATABASE_URL"):
            return
        server = self._until_the_end.enter_context(postgres(self._directory("postgres")))
        self.env["DATABASE_URL"] = server.url
        self.servers["postgres"] = server

    def _start_sandbox(self) -> None:
        if not self._with_sandbox:
            return
        server = self._until_the_end.enter_context(sandbox())
        make_key(server.url, SANDBOX_KEY, account=SANDBOX_ACCOUNT)
        self.env |= {
            "STRIPE_SECRET_KEY": SANDBOX_KEY,
            "STRIPE_API_BASE": server.url,
            "STRIPE_METER_EVENTS_BASE": server.url,
        }
        self.servers["sandbox"] = server

    def _directory(self, name: str) -> Path | None:
        return self._data_dir and self._data_dir.resolve() / name
