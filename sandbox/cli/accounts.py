"""The commands about accounts: their keys, and beginning anew."""

import click

from sandbox.cli.client import ask, asks_a_sandbox, show
from sandbox.keys import DEFAULT_ACCOUNT


@click.group(
    epilog="""\b
Examples:
  meterpost-sandbox key add sk_live_mine --account acct_mine --live
  meterpost-sandbox key revoke sk_live_mine
"""
)
def key() -> None:
    """Make and revoke API keys, of any account and mode."""


@key.command("add")
@click.argument("secret", metavar="KEY")
@click.option("--account", default=DEFAULT_ACCOUNT, show_default=True, help="Whose; made if there is none yet.")
@click.option("--live", is_flag=True, help="Of its live mode.")
@asks_a_sandbox
def key_add(secret: str, url: str, *, account: str, live: bool, is_json: bool) -> None:
    """Make KEY, whatever it looks like, open an account."""
    show(ask(url, "POST", "keys", key=secret, account=account, livemode=live), is_json=is_json)


@key.command("revoke")
@click.argument("secret", metavar="KEY")
@asks_a_sandbox
def key_revoke(secret: str, url: str, *, is_json: bool) -> None:
    """From now on KEY is answered as expired."""
    show(ask(url, "DELETE", "keys", key=secret), is_json=is_json)


@click.command(
    epilog="""\b
Examples:
  meterpost-sandbox reset
  meterpost-sandbox reset --account acct_mine
"""
)
@click.option("--account", help="Only this account, which keeps its keys; its seed goes on from the start.")
@asks_a_sandbox
def reset(url: str, *, account: str | None, is_json: bool) -> None:
    """Begin anew, as right after the start.

    Clock, keys, switches, faults, books and seed: nothing is left of what was.
    """
    show(ask(url, "POST", "reset", account=account), is_json=is_json)
