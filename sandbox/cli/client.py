"""The command line's way to a running sandbox: its controls over HTTP, and how their answers are shown."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from functools import update_wrapper
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode

import click

from sandbox.wire import JsonObject

DEFAULT_PORT = 12_111
"""Where `serve` listens unless told otherwise, so that every other command finds it without being told."""
DEFAULT_URL = f"http://127.0.0.1:{DEFAULT_PORT}"
TIMEOUT_S = 60
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a sandbox is never behind a proxy
UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
ADDRESS = re.compile(r"https?://(\[[0-9a-fA-F:]+\]|[^\s/?#:\[\]]+)(:\d{1,5})?/*", re.ASCII)
DURATION = re.compile(r"(\d{1,9})([smhd]?)", re.ASCII)


class Duration(click.ParamType[int]):
    """90, 90s, 15m, 36h or 31d, as seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = DURATION.fullmatch(value)
        if not found:
            self.fail(f"{value!r} is no duration such as 90s, 15m, 36h or 31d", param, ctx)
        return int(found[1]) * UNITS_S[found[2] or "s"]


def asks_a_sandbox(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options that say which sandbox, and in what form its answer is shown."""
    url = click.option(
        "--url",
        envvar="METERPOST_SANDBOX_URL",
        default=DEFAULT_URL,
        show_default=True,
        show_envvar=True,
        help="Where the sandbox listens.",
    )
    as_json = click.option("--json", "is_json", is_flag=True, help="Show the answer as JSON.")
    return update_wrapper(url(as_json(command)), command)


def ask(url: str, method: str, control: str, /, **fields: Any) -> JsonObject:
    """The control's answer; ClickException where there is no sandbox, or it refuses."""
    return ask_patiently(url, method, control, patience_s=TIMEOUT_S, **fields)


def ask_patiently(url: str, method: str, control: str, /, *, patience_s: float, **fields: Any) -> JsonObject:
    """The same, of what may take that long."""
    told = {name: value for name, value in fields.items() if value is not None}
    address = f"{url.rstrip('/')}/_sandbox/{control}"
    if not ADDRESS.fullmatch(url):
        raise click.ClickException(f"{url} is no address such as {DEFAULT_URL}")
    body = json.dumps(told).encode() if method != "GET" else None
    query = f"?{urlencode(told)}" if method == "GET" and told else ""
    request = urllib.request.Request(address + query, body, method=method)  # noqa: S310 - http or https, as checked
    try:
        with DIRECT.open(request, timeout=patience_s) as answer:
            return _object(answer.read(), url)
    except urllib.error.HTTPError as refused:
        with refused:
            raise click.ClickException(_reason(refused.read(), url)) from refused
    except TimeoutError as late:
        raise click.ClickException(
            f"the sandbox at {url} has not answered within {patience_s:g} s; what it was asked for may still be done"
        ) from late
    except OSError as unreachable:
        raise click.ClickException(
            f"no sandbox answers at {url}; start one with `meterpost-sandbox serve`, or name another with --url"
        ) from unreachable
    except (HTTPException, ValueError) as wrong:
        raise click.ClickException(f"what answers at {url} is no sandbox") from wrong


def show(answer: JsonObject, *, is_json: bool) -> None:
    """As JSON; or as a table where it is a list, and as lines of name and value where it is one thing."""
    if is_json:
        click.echo(json.dumps(answer, indent=2))
    elif isinstance(answer.get("data"), list):
        click.echo(table(answer["data"]))
    else:
        click.echo(lines(answer))


def table(rows: Sequence[JsonObject]) -> str:
    if not rows:
        return "none"
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names, *([_cell(row.get(name)) for name in names] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(names))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def lines(answer: JsonObject) -> str:
    width = max((len(name) for name in answer), default=0)
    return "\n".join(f"{name.ljust(width)}  {_cell(value)}" for name, value in answer.items())


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value)


def _reason(body: bytes, url: str) -> str:
    reason = _object(body, url).get("error")
    if not isinstance(reason, str):
        raise click.ClickException(f"what answers at {url} is no sandbox")
    return reason


def _object(body: bytes, url: str) -> JsonObject:
    try:
        answer = json.loads(body)
    except ValueError as wrong:
        raise click.ClickException(f"what answers at {url} is no sandbox") from wrong
    if not isinstance(answer, dict):
        raise click.ClickException(f"what answers at {url} is no sandbox")
    return answer
