"""The witness: outside of PostgreSQL, the newest attempt that was opened, written down before its call is made.

*The ledger must still know the last call that was made.* One that does not was put back to an earlier time. Redis has
the witness of every call; a file, where one is named, has it once a second and survives a flushed Redis. Either may be
lost without harm while the other, or the server's own identity, is left.
"""

import fcntl
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from redis import Redis
from redis.exceptions import ResponseError

from service.logs import say

FILE_EVERY_S = 1.0  # a file is written to the disk; one a call would be slower than the calls
ATTEMPT_ID_MAX = 2**53  # beyond which a script of Redis cannot tell numbers apart
SCRIPT = (Path(__file__).parent / "keep_witness.lua").read_text()


class WitnessUnreadable(Exception):
    """METERPOST_WITNESS_FILE cannot be used; the text says why. Nothing is sent without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """An attempt that was committed, and whose call may have been made."""

    attempt_id: int
    idempotency_key: str
    at: str  # the ledger's time, for whoever reads it


class Keeps(Protocol):
    """A place that remembers the newest attempt of an account."""

    def read(self) -> Witness | None: ...

    def keep(self, witness: Witness) -> None: ...

    def settle(self) -> None: ...


class RedisWitness:
    """`account` is Stripe's own and its mode: another ledger on the same account is noticed as well."""

    def __init__(self, redis: Redis, account: str, *, is_live: bool) -> None:
        self._redis = redis
        self._key = f"meterpost:witness:{account}:{'live' if is_live else 'test'}"
        self._keep = redis.register_script(SCRIPT)

    def read(self) -> Witness | None:
        """What is no witness is as good as none: whoever could write it could have deleted it as well."""
        try:
            found: list[Any] = self._redis.hmget(self._key, ["attempt_id", "idempotency_key", "at"])
            return _read(*[value or b"" for value in found])
        except (ValueError, ResponseError) as unreadable:
            say("witness.unreadable", reason=f"{self._key}: {unreadable}")
            return None

    def keep(self, witness: Witness) -> None:
        self._keep(keys=[self._key], args=[witness.attempt_id, witness.idempotency_key, witness.at])

    def settle(self) -> None:
        """It is kept with every call."""


class FileWitness:
    """One file for all processes of a machine; on another disk than the ledger's, or it is restored with it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.Lock()
        self._newest: Witness | None = None
        self._written_s = 0.0

    def read(self) -> Witness | None:
        """Raises WitnessUnreadable, also where nothing could ever be kept: to find out only at a call would be late."""
        if not self._path.parent.is_dir():
            raise self._unusable("its directory is not there; make it, for the user that runs submit and seal")
        try:
            return Witness(**json.loads(self._path.read_text()))
        except FileNotFoundError:
            return None
        except OSError as barred:
            raise self._unusable(
                f"{barred.strerror}; name a file that the user of submit and seal may write"
            ) from barred
        except (ValueError, TypeError) as unreadable:
            raise self._unusable("it is there and no witness of ours; name another file") from unreadable

    def keep(self, witness: Witness) -> None:
        with self._turn:
            if self._newest is None or witness.attempt_id > self._newest.attempt_id:
                self._newest = witness
            if time.monotonic() - self._written_s >= FILE_EVERY_S:
                self._write()

    def settle(self) -> None:
        """Write what was kept since the last writing."""
        with self._turn:
            self._write()

    def _write(self) -> None:
        if self._newest is None:
            return
        with self._locked():
            written = self.read()
            if written is None or written.attempt_id < self._newest.attempt_id:
                _replace(self._path, json.dumps(asdict(self._newest)))
        self._newest, self._written_s = None, time.monotonic()

    def _unusable(self, why: str) -> WitnessUnreadable:
        return WitnessUnreadable(f"METERPOST_WITNESS_FILE={self._path}: {why}")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Other processes of the machine keep the same file."""
        with Path(f"{self._path}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def witnesses(redis: Redis, file: Path | None, *, account: str, is_live: bool) -> list[Keeps]:
    """Every place that a deployment has; the file where its settings name one."""
    in_file: list[Keeps] = [FileWitness(file)] if file else []
    return [RedisWitness(redis, account, is_live=is_live), *in_file]


def _read(attempt_id: bytes, key: bytes, at: bytes) -> Witness | None:
    """Raises ValueError for what we cannot have written."""
    if not attempt_id and not key:
        return None
    witness = Witness(attempt_id=int(attempt_id), idempotency_key=key.decode("ascii"), at=at.decode("ascii"))
    if not 0 < witness.attempt_id <= ATTEMPT_ID_MAX or not key or not witness.idempotency_key.isprintable():
        raise ValueError("it was not written by us")
    return witness


def _replace(path: Path, text: str) -> None:
    """Whole or not at all, and on the disk."""
    unfinished = Path(f"{path}.unfinished")
    with unfinished.open("w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(path)
