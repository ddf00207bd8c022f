"""The disk of a power cut forgets what was not synced, all of it and nothing else."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from chaos.power.disk import Disk, NotModelled

WRITER = """
import ctypes, os, sys
os.chdir(sys.argv[1])
def opened(name, flags=os.O_RDWR):
    return os.open(name, flags)
def print_by_stdio(name):
    libc = ctypes.CDLL(None)
    libc.fopen.restype = ctypes.c_void_p
    stream = ctypes.c_void_p(libc.fopen(name, b"a"))
    assert libc.fputs(b"n" * 100, stream) >= 0 and libc.fflush(stream) == 0
"""
Write = Callable[[str], None]


@pytest.fixture
def disk(tmp_path: Path, library: Path) -> Disk:
    """With one file of 1,000 letters that was there before."""
    disk = Disk(watched=tmp_path / "files", journals=tmp_path / "journals", library=library)
    disk.watched.mkdir()
    disk.journals.mkdir()
    (disk.watched / "old").write_text("o" * 1000)
    return disk


@pytest.fixture
def write(disk: Disk) -> Write:
    """Run lines of Python below the shim, in the disk's directory; nothing of it runs afterwards."""

    def write(lines: str) -> None:
        program = [sys.executable, "-I", "-S", "-c", WRITER + lines, str(disk.watched)]
        subprocess.run(program, env=os.environ | disk.env(), check=True, timeout=30)

    return write


def _old(disk: Disk) -> str:
    return (disk.watched / "old").read_text()


@pytest.mark.parametrize(
    "change",
    [
        "os.write(opened('old'), b'n' * 10)",
        "os.write(opened('old', os.O_WRONLY | os.O_APPEND), b'n' * 10)",
        "os.write(opened('old', os.O_WRONLY | os.O_TRUNC), b'n' * 10)",
        "os.writev(opened('old'), [b'n' * 10, b'n' * 2000])",
        "os.pwrite(opened('old'), b'n' * 10, 500)",
        "os.pwritev(opened('old'), [b'n' * 10, b'n' * 10], 995)",
        "os.pwrite(opened('old'), b'n' * 10, 4000)",
        "os.ftruncate(opened('old'), 10)",
        "os.ftruncate(opened('old'), 5000)",
        "os.truncate('old', 10)",
        "os.posix_fallocate(opened('old'), 0, 8192)",
        "os.sendfile(opened('old'), opened('/proc/self/exe', os.O_RDONLY), 0, 100)",
        "os.rename('old', 'new'); os.write(opened('new'), b'n'); os.rename('new', 'old')",
        "f = opened('old'); os.write(f, b'n' * 10); os.ftruncate(f, 5); os.pwrite(f, b'm' * 2000, 3)",
        "print_by_stdio(b'old')",
    ],
)
def test_what_was_not_synced_is_forgotten(disk: Disk, write: Write, change: str) -> None:
    before = (disk.watched / "old").stat().st_mtime_ns
    write(change)
    changed = (disk.watched / "old").stat().st_mtime_ns
    disk.forget()
    assert _old(disk) == "o" * 1000
    assert changed > before


@pytest.mark.parametrize("sync", ["os.fsync", "os.fdatasync"])
def test_what_was_synced_stays(disk: Disk, write: Write, sync: str) -> None:
    write(f"f = opened('old'); os.pwrite(f, b'n' * 10, 500); {sync}(f)")
    disk.forget()
    assert _old(disk) == "o" * 500 + "n" * 10 + "o" * 490


def test_what_was_written_after_a_sync_is_forgotten_back_to_it(disk: Disk, write: Write) -> None:
    write("f = opened('old'); os.write(f, b'n' * 10); os.fsync(f); os.pwrite(f, b'm' * 2000, 5)")
    disk.forget()
    assert _old(disk) == "n" * 10 + "o" * 990


def test_a_sync_by_another_process_counts(disk: Disk, write: Write) -> None:
    write("os.write(opened('old'), b'n' * 10)")
    write("os.fsync(opened('old', os.O_RDONLY))")
    disk.forget()
    assert _old(disk) == "n" * 10 + "o" * 990


def test_a_new_file_that_was_never_synced_is_empty(disk: Disk, write: Write) -> None:
    write("open('new', 'w').write('n' * 10)")
    disk.forget()
    assert (disk.watched / "new").read_bytes() == b""


def test_a_file_that_took_the_name_of_another_keeps_what_was_synced(disk: Disk, write: Write) -> None:
    write("f = open('new', 'w'); f.write('n'); f.flush(); os.fsync(f.fileno()); os.rename('new', 'old')")
    disk.forget()
    assert _old(disk) == "n"


def test_what_is_forgotten_is_counted(disk: Disk, write: Write) -> None:
    write("f = opened('old'); os.write(f, b'n' * 10); os.fsync(f); os.write(f, b'm' * 7)")
    forgotten = disk.forget()
    assert (forgotten.files, forgotten.writes, forgotten.bytes_forgotten) == (1, 1, 7)


def test_a_harsher_disk_keeps_some_sectors_whole(disk: Disk, write: Write) -> None:
    write("f = opened('old', os.O_RDWR | os.O_TRUNC); os.write(f, b'o' * 51200); os.fsync(f)")
    write("os.pwrite(opened('old'), b'n' * 51200, 0)")
    forgotten = disk.forget(Random(1))
    sectors = {_old(disk)[begin : begin + 512] for begin in range(0, 51200, 512)}
    assert sectors == {"o" * 512, "n" * 512}
    assert forgotten.bytes_survived == _old(disk).count("n")


def test_a_harsher_disk_keeps_a_beginning_of_what_was_appended(disk: Disk, write: Write) -> None:
    write("os.pwrite(opened('old'), b'n' * 1000, 1000)")
    forgotten = disk.forget(Random(1))
    assert 0 < forgotten.bytes_survived < 1000
    assert _old(disk) == "o" * 1000 + "n" * forgotten.bytes_survived


def test_what_cannot_be_taken_back_fails_the_run(disk: Disk, write: Write) -> None:
    write("import mmap; mmap.mmap(opened('old'), 1000)[0] = 65")
    with pytest.raises(NotModelled, match="mmap"):
        disk.forget()


def test_a_write_past_the_shim_is_noticed(disk: Disk) -> None:
    since_ns = (disk.watched / "old").stat().st_mtime_ns
    (disk.watched / "past").write_text("unseen")
    assert disk.unjournaled(since_ns=since_ns) == [disk.watched / "past"]


def test_a_file_that_was_only_just_made_is_no_write_past_the_shim(disk: Disk) -> None:
    since_ns = (disk.watched / "old").stat().st_mtime_ns
    (disk.watched / "made").touch()
    assert disk.unjournaled(since_ns=since_ns) == []
