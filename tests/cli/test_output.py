"""Answers at every width of terminal."""

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from cli import output

Shown = Callable[[int], list[str]]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    """The lines of a small table, on a terminal of so many columns."""

    def at(width: int) -> list[str]:
        screen = io.StringIO()
        console = Console(file=screen, width=width, force_terminal=True, color_system=None, markup=False)
        monkeypatch.setattr(output, "stdout", lambda: console)
        output.print_table(
            ["step", "#count", "", "meaning"], [("seal", 12_000, "!", "entries [b]"), ("apply", 0, "", "x")]
        )
        return [line.rstrip() for line in screen.getvalue().splitlines()]

    return at


def test_a_wide_terminal_gets_a_table(shown: Shown) -> None:
    assert [line.split() for line in shown(80) if line and "─" not in line] == [
        ["step", "count", "meaning"],
        ["seal", "12,000", "!", "entries", "[b]"],
        ["apply", "0", "x"],
    ]


def test_a_narrow_terminal_gets_a_block_a_row(shown: Shown) -> None:
    assert shown(20) == [
        *("step: seal", "count: 12,000", "!", "meaning: entries [b]", ""),
        *("step: apply", "count: 0", "meaning: x", ""),
    ]


def test_no_letter_is_lost_in_the_narrowest_terminal(shown: Shown) -> None:
    assert "12,000" in "".join(shown(5))
