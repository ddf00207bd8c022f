"""Programs that end with their parent, whatever kills it.

SIGKILL leaves a parent no time to end its children, so the kernel is asked beforehand (Linux:
PR_SET_PDEATHSIG). The wish is forgotten when a process changes its user, so it is made after that; it is kept
over exec, so a short launcher (this file, run as a script) can make it for programs that are not ours.
`preexec_fn` would do the same but is unsafe beside threads, and the supervisor has threads.

The kernel means the parent's *thread*: whoever starts a tethered program must do so from a thread that
outlives it.
"""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

PARENT_VARIABLE = "METERPOST_END_WITH_PARENT"
PR_SET_PDEATHSIG = 1
POLL_S = 0.5
SAME_USER = (-1, -1)


def end_with_parent() -> None:
    """End by SIGTERM when the process whose pid METERPOST_END_WITH_PARENT holds is gone; `1` means our parent now.

    The Makefile sets it to its own pid; without it nothing happens, since a program started by hand may well
    outlive its shell. The variable is taken out of the environment: it is meant for this process, not for its
    children.
    """
    wanted = os.environ.pop(PARENT_VARIABLE, "")
    if not wanted:
        return
    parent = os.getppid() if wanted == "1" else int(wanted)
    if sys.platform == "linux":
        _ask_kernel(signal.SIGTERM)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:  # it died before we asked
        os.kill(os.getpid(), signal.SIGTERM)


def tethered(command: Sequence[str], *, ended_by: signal.Signals, user: tuple[int, int] = SAME_USER) -> list[str]:
    """The argument list that starts `command` so that `ended_by` reaches it when the caller dies.

    `user` is (uid, gid) to run as, of use to root only. The pid of the launcher becomes the pid of the
    command.
    """
    launcher = [sys.executable, "-I", "-S", str(Path(__file__).resolve())]
    orders = [os.getpid(), int(ended_by), *user]
    return [*launcher, *map(str, orders), *command]


def _launch(orders: list[str]) -> None:
    parent, ended_by, uid, gid = map(int, orders[:4])
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        _ask_kernel(ended_by)
    if os.getppid() != parent:
        sys.exit("the parent ended first")
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and exec would pass that on
        signal.signal(ignored, signal.SIG_DFL)
    os.execvp(orders[4], orders[4:])  # noqa: S606 - becoming the command is the point


def _ask_kernel(signal_number: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL_S)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    _launch(sys.argv[1:])
