"""The two servers as meterpost starts them, each with a forgetful disk below its files."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from chaos.power.cut import Powered
from chaos.power.disk import Disk
from local.account import server_user
from local.parent import SAME_USER
from local.postgres import postgres
from local.valkey import valkey

AOF_REWRITTEN = {"auto-aof-rewrite-min-size": "1mb", "auto-aof-rewrite-percentage": "50"}  # so that it happens


@contextmanager
def valkey_on_disk(place: Path, library: Path, *, changed: Mapping[str, str]) -> Iterator[Powered]:
    """Durable as ours, but for what is `changed`."""
    disk = _disk(place, "valkey", library, watched="")
    with valkey(place / "valkey", changed=AOF_REWRITTEN | dict(changed), env=disk.env()) as server:
        yield Powered(name="valkey", server=server, disk=disk)


@contextmanager
def postgres_on_disk(place: Path, library: Path, *, changed: Mapping[str, str]) -> Iterator[Powered]:
    """Durable as ours, but for what is `changed`."""
    disk = _disk(place, "postgres", library, watched="cluster")
    with postgres(place / "postgres", changed=changed, env=disk.env()) as server:
        yield Powered(name="postgres", server=server, disk=disk)


def _disk(place: Path, name: str, library: Path, *, watched: str) -> Disk:
    journals = place / f"{name}.journals"
    journals.mkdir()
    if server_user() != SAME_USER:
        os.chown(journals, *server_user())
    return Disk(watched=place / name / watched, journals=journals, library=library)
