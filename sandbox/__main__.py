"""The command `meterpost-sandbox`: a local Stripe in a second.

`serve` prints one line of JSON with its address once it accepts, so that whoever starts it with `--port 0` knows.
"""

import asyncio

import click

from sandbox.limits import MODES
from sandbox.server import Sandbox
from sandbox.settings import Settings


@click.group()
def main() -> None:
    """A faithful local Stripe, with faults and a clock of its own."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=0, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option("--seed", default=1, show_default=True, help="Same seed and same calls, same ids.")
@click.option("--limits", type=click.Choice(MODES), default="off", show_default=True, help="Rate limits to keep.")
@click.option("--clock-offset", default=0, metavar="SECONDS", help="How far the sandbox's clock is ahead.")
def serve(host: str, port: int, *, seed: int, limits: str, clock_offset: int) -> None:
    """Serve until told to end; the address is printed as one line of JSON."""
    sandbox = Sandbox(seed=seed, offset_s=clock_offset, settings=Settings(limits=limits))
    asyncio.run(sandbox.serve(host=host, port=port))


if __name__ == "__main__":
    main()
