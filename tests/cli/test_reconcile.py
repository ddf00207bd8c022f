"""Reconciling by hand, where the ledger was never restored; what follows a restore is told in tests/epoch."""

from collections.abc import Callable
from typing import Any

import pytest

Command = Callable[..., Any]


def test_a_ledger_that_was_never_restored_has_nothing_to_compare(
    command: Command, queue: str, ledger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_x")

    ran = command("reconcile", "--epoch", "--json")

    nothing = {"restore": None, "lanes": None, "lanes_lagging": 0, "externals": [], "again_at": None}
    assert (ran.code, ran.json) == (0, nothing)


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        ((), "goes on by itself"),
        (("--epoch", "--confirm"), "--confirm wants a --reason"),
        (("--epoch", "--reason", "INC-42"), "goes with --confirm"),
    ],
)
def test_what_is_meant_otherwise_is_said_with_the_remedy(
    command: Command, arguments: tuple[str, ...], remedy: str
) -> None:
    ran = command("reconcile", *arguments)

    assert (ran.code, remedy in ran.err) == (2, True)
