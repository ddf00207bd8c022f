"""`serve`: the sandbox itself, in this process.

It prints one line of JSON with its address and its key once it accepts, so that whoever starts it with `--port 0`
knows.
"""

import asyncio
from datetime import UTC, datetime
from typing import Any

import click

from sandbox.calls.limits import MODES
from sandbox.cli.client import DEFAULT_PORT
from sandbox.cli.controls import INSTANT, settings_of
from sandbox.clock import SPEED_MAX, Clock
from sandbox.http.listener import CannotListen
from sandbox.http.server import Renew, Sandbox
from sandbox.keys import DEFAULT_KEY
from sandbox.settings import Settings
from sandbox.world import World

PORT_MAX = 65_535
SPEED = click.FloatRange(0, SPEED_MAX)
EPILOG = f"""\b
Examples:
  meterpost-sandbox serve
  curl http://127.0.0.1:12111/v1/customers -u {DEFAULT_KEY}: -d name=Ada
  meterpost-sandbox serve --clock 2026-01-31 --speed 3600 --set summary_lag_s=60

Its one key is {DEFAULT_KEY}, of a test account; `meterpost-sandbox key add` makes others.
"""


@click.command(epilog=EPILOG)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, PORT_MAX),
    default=DEFAULT_PORT,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option("--seed", default=1, show_default=True, help="Same seed and same calls, same ids.")
@click.option("--limits", type=click.Choice(MODES), default="off", show_default=True, help="Rate limits to keep.")
@click.option(
    "--clock",
    "begins_at",
    type=INSTANT,
    metavar="INSTANT",
    help="When its clock begins: 2026-01-31 or 2026-01-31T00:00:00Z, in UTC. Default: now.",
)
@click.option(
    "--speed", type=SPEED, default=1.0, show_default=True, help="Its seconds for one of ours; 0 stands still."
)
@click.option("--set", "wanted", metavar="NAME=VALUE", multiple=True, help="Any switch, by name; as often as needed.")
def serve(
    host: str, port: int, *, seed: int, limits: str, begins_at: datetime | None, speed: float, wanted: tuple[str, ...]
) -> None:
    """Serve until told to end.

    The address and the key are printed as one line of JSON.
    """
    instant = begins_at.replace(tzinfo=UTC).timestamp() if begins_at else None
    chosen = _chosen({"limits": limits} | settings_of(wanted))
    try:
        asyncio.run(_serve(host, port, instant=instant, speed=speed, seed=seed, settings=chosen))
    except CannotListen as taken:
        raise click.ClickException(f"{taken}; choose another --port (0 for a free one) or --host") from taken


async def _serve(host: str, port: int, *, instant: float | None, speed: float, seed: int, settings: Settings) -> None:
    def world(renew: Renew) -> World:
        return World(clock=Clock(begins_at=instant, speed=speed), seed=seed, settings=settings, renew=renew)

    await Sandbox(world).serve(host=host, port=port)


def _chosen(wanted: dict[str, Any]) -> Settings:
    try:
        return Settings().changed(wanted)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong), param_hint="--set") from wrong
