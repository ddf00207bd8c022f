"""The command `meterpost-sandbox`: a local Stripe in a second.

`serve` prints one line of JSON with its address and its key once it accepts, so that whoever starts it with `--port 0`
knows.
"""

import asyncio
import time
from datetime import UTC, datetime

import click

from sandbox.clock import SPEED_MAX, Clock
from sandbox.keys import DEFAULT_KEY
from sandbox.limits import MODES
from sandbox.listener import CannotListen
from sandbox.server import Sandbox
from sandbox.settings import Settings

PORT_MAX = 65_535
INSTANT = click.DateTime(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"])
SPEED = click.FloatRange(0, SPEED_MAX)
EPILOG = f"""\b
Examples:
  meterpost-sandbox serve --port 12111
  curl http://127.0.0.1:12111/v1/customers -u {DEFAULT_KEY}: -d name=Ada

Its one key is {DEFAULT_KEY}, of a test account; POST /_sandbox/keys makes others.
"""


@click.group()
def main() -> None:
    """A faithful local Stripe, with faults and a clock of its own."""


@main.command(epilog=EPILOG)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, PORT_MAX),
    default=0,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option("--seed", default=1, show_default=True, help="Same seed and same calls, same ids.")
@click.option("--limits", type=click.Choice(MODES), default="off", show_default=True, help="Rate limits to keep.")
@click.option("--clock", type=INSTANT, help="When the sandbox's clock begins, as 2026-01-31T00:00:00Z. Default: now.")
@click.option(
    "--speed", type=SPEED, default=1.0, show_default=True, help="Its seconds for one of ours; 0 stands still."
)
def serve(host: str, port: int, *, seed: int, limits: str, clock: datetime | None, speed: float) -> None:
    """Serve until told to end; the address and the key are printed as one line of JSON."""
    offset_s = (clock.replace(tzinfo=UTC).timestamp() - time.time()) if clock else 0.0
    sandbox = Sandbox(clock=Clock(offset_s=offset_s, speed=speed), seed=seed, settings=Settings(limits=limits))
    try:
        asyncio.run(sandbox.serve(host=host, port=port))
    except CannotListen as taken:
        raise click.ClickException(f"{taken}; choose another --port, or 0 for a free one") from taken


if __name__ == "__main__":
    main()
