"""The guard: starts one server, and ends it when its parent is gone (`python -m local.guard ORDER`).

It is a process of its own because the parent may be killed at any line. The order is one JSON object; the
answer on stdout is one JSON line with the server's `url` and `pid`, or an `error`. On stdin it takes `pid`,
`kill` (SIGKILL, stay down) and `start`; the end of stdin, or another parent than before, means: stop the
server, remove what was temporary, end. A server that dies unasked is started again on the same address and
files.

If the guard itself is killed, the kernel ends the server (`local/parent.py`); only temporary files stay then.
"""

import json
import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn

from local.account import server_user
from local.guarded import ServerError
from local.parent import SAME_USER
from local.place import claimed, free_port, scratch
from local.postgres import Postgres
from local.running import Program, Running
from local.sandbox import Sandbox
from local.valkey import Valkey

POLL_S = 0.2
PORTS_MAX = 5  # another program may take a free port before our server does


def main() -> None:
    signal.signal(signal.SIGTERM, _leave)
    parent = os.getppid()
    order = json.loads(sys.argv[1])
    try:
        with _running(order) as server:
            _say(url=server.program.url, pid=server.pid)
            _serve(server, parent)
    except ServerError as error:
        _say(error=str(error))
        sys.exit(1)
    except BrokenPipeError:  # the parent died while we spoke; everything is stopped by now
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _leave(_signal: int, _frame: object) -> NoReturn:
    sys.exit(0)


@contextmanager
def _running(order: dict[str, object]) -> Iterator[Running]:
    user = server_user() if order["kind"] == "postgres" else SAME_USER
    with ExitStack() as until_the_end:
        temporary = until_the_end.enter_context(scratch(user))
        wanted = order.get("data_dir")
        directory = until_the_end.enter_context(claimed(Path(str(wanted or temporary / "files")), user))
        server = _started(order, directory, temporary)
        until_the_end.callback(server.stop)
        yield server


def _started(order: dict[str, object], directory: Path, temporary: Path) -> Running:
    if order.get("port") is not None:
        return Running(_program(order, directory, temporary, port=int(str(order["port"]))))
    for _ in range(PORTS_MAX - 1):
        try:
            return Running(_program(order, directory, temporary, port=free_port()))
        except ServerError as error:
            if "in use" not in str(error):
                raise
    return Running(_program(order, directory, temporary, port=free_port()))


def _program(order: dict[str, object], directory: Path, temporary: Path, *, port: int) -> Program:
    match order:
        case {"kind": "valkey", "changed": dict(changed), "env": dict(env)}:
            return Valkey(directory=directory, port=port, changed=changed, env=env)
        case {"kind": "postgres", "fsync": bool(fsync), "changed": dict(changed), "env": dict(env)}:
            tried = {"changed": changed, "env": env}
            return Postgres(directory=directory, port=port, scratch=temporary, fsync=fsync, **tried)
        case {"kind": "sandbox"}:
            return Sandbox(directory=directory, port=port)
        case unknown:
            raise ServerError(f"no server is started by this order: {unknown}")


def _serve(server: Running, parent: int) -> None:
    """Obey until the pipe closes, or the parent is gone: a forked child of it may hold the pipe open."""
    pipe = sys.stdin.fileno()
    while os.getppid() == parent:
        if server.has_crashed:
            server.start()
        readable, _, _ = select.select([pipe], [], [], POLL_S)
        if not readable:
            continue
        commands = os.read(pipe, 4096).decode().split()
        if not commands:
            return
        for command in commands:
            _obey(server, command)


def _obey(server: Running, command: str) -> None:
    match command:
        case "kill":
            server.kill()
        case "start":
            server.start()
        case _:
            pass  # `pid`, which every answer carries
    _say(pid=server.pid)


def _say(**answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
