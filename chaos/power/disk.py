"""A disk that forgets what was not synced: the shim journals a server's writes, and a cut takes them back.

The model, and what it leaves out:
- A file's content and size are durable once fsync or fdatasync of it returned; every write is journaled by `shim.c`.
- What was not synced is forgotten as a whole, or, the harsher way (`chance`), in part: of what was overwritten each
  sector of 512 bytes survives or not, of what was appended a beginning does. So does a disk that had begun to write.
- Creating, renaming and removing a file are durable at once, as on a journaling file system whose journal is quick. A
  file whose content was never synced stands there empty, which is where programs that rename before they sync lose.
"""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from struct import Struct
from typing import Self

SOURCE = Path(__file__).with_name("shim.c")
COMPILE_TIMEOUT_S = 60
SECTOR = 512
SURVIVING_SHARE = 0.5
HEADER = Struct("=QQ")  # as in shim.c
ENTRY = Struct("=QQQQ")
UNMODELLED = "unmodelled"
NOT_WATCHED = {"lock", "valkey.log"}  # the guard's, and the server's own output, which shim.c leaves alone
SHARED_MEMORY = "pg_dynshmem"  # files in name only: PostgreSQL removes them at its start

Identity = tuple[int, int, int]  # of a file: inode, and its birth in seconds and nanoseconds


class NoCompiler(Exception):
    """There is no C compiler here; the text says what to do."""


class NotModelled(Exception):
    """A server wrote to its files in a way that the shim cannot take back; the run would prove nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What a cut took back. `bytes_survived` is what a disk had written all the same."""

    files: int = 0
    writes: int = 0
    bytes_forgotten: int = 0
    bytes_survived: int = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(
            files=self.files + other.files,
            writes=self.writes + other.writes,
            bytes_forgotten=self.bytes_forgotten + other.bytes_forgotten,
            bytes_survived=self.bytes_survived + other.bytes_survived,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """One journaled write: what stood at `offset`, how much was to be written there, and the file's size before."""

    offset: int
    stood: bytes
    length: int
    size: int


def compiled(directory: Path) -> Path:
    """The shim as a library in `directory`. Raises NoCompiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise NoCompiler("power cuts need a C compiler for a small library: install one, e.g. `apt install gcc`")
    library = directory / "shim.so"
    flags = ["-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-fvisibility=hidden"]
    ran = subprocess.run(
        [compiler, *flags, "-o", str(library), str(SOURCE), "-ldl"],
        capture_output=True,
        text=True,
        timeout=COMPILE_TIMEOUT_S,
        check=False,
    )
    if ran.returncode != 0:
        raise NoCompiler(f"{compiler} does not compile {SOURCE.name}; Linux with glibc is needed:\n{ran.stderr}")
    return library


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """The files below `watched`, and beside them the journals of what is not synced."""

    watched: Path
    journals: Path
    library: Path

    def env(self) -> dict[str, str]:
        """What makes a server's writes pass the shim."""
        return {
            "LD_PRELOAD": str(self.library),
            "POWER_WATCHED": str(self.watched.resolve()),
            "POWER_JOURNAL": str(self.journals),
        }

    def forget(self, chance: Random | None = None) -> Forgotten:
        """Take every file back to what was synced, or with `chance` to some of what was not. No server may run.

        Raises NotModelled where something was written that no journal knows.
        """
        self._refuse_unmodelled()
        total = Forgotten()
        for path in _files(self.watched):
            journal = self.journals / _name(_identity(path))
            if not journal.exists():
                continue
            total += _take_back(path, read_journal(journal), chance)
        for journal in self.journals.iterdir():
            journal.unlink()
        return total

    def unjournaled(self, *, since_ns: int) -> list[Path]:
        """Files that changed without a journal: writes that the shim did not see.

        An empty one is none: a process may have been stopped between creating a file and beginning its journal.
        """
        changed = [path for path in _files(self.watched) if path.stat().st_mtime_ns > since_ns and path.stat().st_size]
        return [path for path in changed if not (self.journals / _name(_identity(path))).exists()]

    def _refuse_unmodelled(self) -> None:
        told = self.journals / UNMODELLED
        if told.exists():
            raise NotModelled(f"written in ways that the shim cannot take back:\n{told.read_text()}")


def read_journal(journal: Path) -> list[Undo]:
    """The writes not yet synced, oldest first."""
    content = journal.read_bytes()
    if len(content) < HEADER.size:
        return []
    base, synced = HEADER.unpack_from(content)
    found, place = [], HEADER.size
    while place + ENTRY.size <= len(content):
        offset, kept, length, size = ENTRY.unpack_from(content, place)
        begin = place + ENTRY.size
        if base + place - HEADER.size >= synced:
            found.append(Undo(offset=offset, stood=content[begin : begin + kept], length=length, size=size))
        place = begin + kept
    return found


def _take_back(path: Path, undos: list[Undo], chance: Random | None) -> Forgotten:
    """Newest first, so that what stood before the oldest of them stands there again."""
    if not undos:
        return Forgotten()
    with path.open("r+b") as file:
        descriptor = file.fileno()
        newest = _Newest.of(descriptor, undos)
        for undo in reversed(undos):
            os.pwrite(descriptor, undo.stood, undo.offset)
            os.ftruncate(descriptor, undo.size)
        survived = 0 if chance is None else newest.survive_in(descriptor, chance)
    writes = sum(undo.length > 0 for undo in undos)
    written = max(sum(undo.length for undo in undos), len(newest.appended))
    return Forgotten(files=int(written > 0), writes=writes, bytes_forgotten=written - survived, bytes_survived=survived)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Newest:
    """What stood in a file at the cut: the sectors that were overwritten, and all that was appended."""

    size_synced: int
    sectors: dict[int, bytes]
    appended: bytes

    @classmethod
    def of(cls, file: int, undos: list[Undo]) -> Self:
        size = undos[0].size
        ends = [(undo.offset, min(size, undo.offset + undo.length)) for undo in undos]
        within = ((begin // SECTOR, -(-end // SECTOR)) for begin, end in ends if begin < end)
        touched = {sector for first, behind in within for sector in range(first, behind)}
        return cls(
            size_synced=size,
            sectors={sector: os.pread(file, SECTOR, sector * SECTOR) for sector in sorted(touched)},
            appended=os.pread(file, max(0, os.fstat(file).st_size - size), size),
        )

    def survive_in(self, file: int, chance: Random) -> int:
        """Let any sector that was overwritten and a beginning of what was appended have reached the disk."""
        survived = 0
        for sector, content in self.sectors.items():
            inside = content[: self.size_synced - sector * SECTOR]
            if chance.random() < SURVIVING_SHARE:
                survived += os.pwrite(file, inside, sector * SECTOR)
        beginning = self.appended[: chance.randint(0, len(self.appended))]
        return survived + os.pwrite(file, beginning, self.size_synced)


def _files(directory: Path) -> Iterator[Path]:
    for path in directory.rglob("*"):
        is_watched = path.name not in NOT_WATCHED and SHARED_MEMORY not in path.parts
        if is_watched and path.is_file() and not path.is_symlink():
            yield path


def _name(identity: Identity) -> str:
    return "{}-{}.{}".format(*identity)


def _identity(path: Path) -> Identity:
    """By statx, which Python 3.11 does not offer; the places are those of Linux' `struct statx`."""
    found = ctypes.create_string_buffer(256)
    libc = ctypes.CDLL(None, use_errno=True)
    at_cwd, basic_and_birth = -100, 0xFFF
    if libc.statx(at_cwd, os.fsencode(path), 0, basic_and_birth, found) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(path))
    (inode,) = Struct("=Q").unpack_from(found, 32)
    seconds, nanoseconds = Struct("=qI").unpack_from(found, 80)
    return inode, seconds, nanoseconds
