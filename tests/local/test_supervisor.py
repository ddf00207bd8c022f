"""The supervisor keeps its processes running, and ends with them."""

import io
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from local.procfile import read_procfile
from local.supervisor import Supervisor

Alive = Callable[[int], bool]
Claim = Callable[[Callable[[], object]], bool]
Make = Callable[..., Supervisor]

STUBBORN = 'python -c "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1); signal.pause()"'
PATIENT = 'python -c "import signal; print(1); signal.pause()"'
PARENT = 'python -c "import subprocess, sys; print(subprocess.Popen([sys.executable, *sys.argv[1:]]).wait())" '
SUPERVISING = """
import os, sys
from pathlib import Path
from local.supervisor import Supervisor
with Supervisor(Path(sys.argv[1]), dict(os.environ), log_dir=Path(sys.argv[2])) as supervisor:
    print(*[supervisor.pid(name) for name in supervisor.names], flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Make:
    """A supervisor of the given commands, by name, with a log file each."""

    def make(commands: Mapping[str, str], scale: Mapping[str, int] | None = None) -> Supervisor:
        procfile = tmp_path / "Procfile"
        procfile.write_text("".join(f"{name}: {command}\n" for name, command in commands.items()))
        return Supervisor(procfile, dict(os.environ), log_dir=tmp_path / "logs", scale=scale)

    return make


def test_a_killed_process_is_started_again(supervisor: Make, eventually: Claim) -> None:
    with supervisor({"work": PATIENT}) as running:
        first = running.pid("work")
        running.kill("work")
        assert eventually(lambda: running.pid("work") not in {first, None})
        assert running.restarts == 1


def test_a_process_that_keeps_dying_is_started_after_growing_delays(supervisor: Make, eventually: Claim) -> None:
    with supervisor({"work": 'python -c "import time; print(time.monotonic())"'}) as running:
        assert eventually(lambda: running.restarts >= 4)
    births = [float(line) for line in _log(running, "work").splitlines()]
    assert births[3] - births[2] > births[1] - births[0]


def test_others_run_on_when_one_dies(supervisor: Make, eventually: Claim) -> None:
    with supervisor({"work": PATIENT, "web": PATIENT}) as running:
        web = running.pid("web")
        running.kill("work")
        assert eventually(lambda: running.restarts == 1)
        assert running.pid("web") == web


def test_a_process_may_run_several_times_or_not_at_all(supervisor: Make) -> None:
    running = supervisor({"submit": PATIENT, "web": PATIENT}, {"submit": 2, "web": 0})
    assert running.names == ["submit", "submit.2"]


def test_an_unknown_name_to_scale_is_refused(supervisor: Make) -> None:
    with pytest.raises(ValueError, match="no process called sumbit"):
        supervisor({"submit": PATIENT}, {"sumbit": 2})


def test_stop_ends_every_process(supervisor: Make, is_alive: Alive) -> None:
    with supervisor({"work": PATIENT, "web": PATIENT}) as running:
        pids = [running.pid(name) for name in running.names]
    assert not any(is_alive(pid) for pid in pids if pid)
    assert running.restarts == 0


def test_a_process_that_ignores_the_request_to_stop_is_killed(
    supervisor: Make, is_alive: Alive, eventually: Claim
) -> None:
    with supervisor({"work": STUBBORN}) as running:
        pid = running.pid("work")
        assert pid
        assert eventually(lambda: _log(running, "work"))
        running.stop(timeout_s=0.2)
        assert not is_alive(pid)


def test_what_a_dead_process_left_behind_ends_before_the_next_start(
    supervisor: Make, is_alive: Alive, eventually: Claim
) -> None:
    grandchild = "-c 'import os, signal; print(os.getpid(), flush=True); signal.pause()'"
    with supervisor({"work": PARENT + grandchild}) as running:
        assert eventually(lambda: _log(running, "work"))
        running.kill("work")
        assert eventually(lambda: len(_log(running, "work").splitlines()) == 2)
    assert not is_alive(int(_log(running, "work").splitlines()[0]))


def test_processes_end_with_a_supervisor_that_is_killed(
    supervisor: Make, program: Callable[..., Any], is_alive: Alive, eventually: Claim, tmp_path: Path
) -> None:
    supervisor({"work": STUBBORN, "web": PATIENT})
    killed = program(SUPERVISING, str(tmp_path / "Procfile"), str(tmp_path / "logs"))
    pids = [int(word) for word in killed.stdout.readline().split()]
    killed.send_signal(signal.SIGKILL)
    assert len(pids) == 2
    assert eventually(lambda: not any(map(is_alive, pids)))


def test_without_log_files_lines_carry_the_name_of_their_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Claim
) -> None:
    monkeypatch.setattr("sys.stdout", said := io.StringIO())
    (tmp_path / "Procfile").write_text(f"work: {PATIENT}\n")
    with Supervisor(tmp_path / "Procfile", dict(os.environ)):
        assert eventually(said.getvalue)
    assert said.getvalue().split() == ["work", "│", "1"]


def test_programs_are_taken_from_this_environment_first(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("web: gunicorn app\nwork: python -m work\n\n# a comment\nother: env A\n")
    commands = read_procfile(tmp_path / "Procfile")
    assert [Path(command[0]).is_absolute() for command in commands.values()] == [True, True, False]


@pytest.mark.parametrize("line", ["no colon", "Capital: run", "twice: run\ntwice: run", "empty:"])
def test_a_line_that_is_no_process_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "Procfile").write_text(line + "\n")
    with pytest.raises(ValueError, match="is not a new `name: command`"):
        read_procfile(tmp_path / "Procfile")


def _log(running: Supervisor, name: str) -> str:
    log = running._children[name]._launch.log
    return log.read_text() if log and log.exists() else ""
