"""Ctrl-C for commands that go on for long: noted, and asked for between two pieces of their work.

As an exception it could arrive anywhere, also in a finalizer, where Python prints it and goes on: a person's word would
be lost. Noted, it stops the command at a place where nothing is half done. The second Ctrl-C is the ordinary one, for
who cannot wait for that.
"""

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """Whether Ctrl-C came, and a pause that it ends. A pipe, as an Event's lock may be held where a signal comes."""

    def __init__(self) -> None:
        self._heard, self._told = os.pipe()
        self.by: signal.Signals | None = None  # the first that came

    def wait(self, seconds: float | None = None) -> bool:
        """Wait so long, or for ever; True, at once, when Ctrl-C came."""
        return bool(select.select([self._heard], [], [], seconds)[0])

    def stop_here(self) -> None:
        """Between two pieces of work: the KeyboardInterrupt that was due, if Ctrl-C came."""
        if self.wait(0):
            raise KeyboardInterrupt

    def note(self, number: int, _frame: FrameType | None = None) -> None:
        self.by = self.by or signal.Signals(number)
        os.write(self._told, b"!")
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def close(self) -> None:
        os.close(self._heard)
        os.close(self._told)


@contextmanager
def noted(*numbers: signal.Signals) -> Iterator[Interrupts]:
    """From here to the end, SIGINT and these are noted and end nothing by themselves. In the main thread alone."""
    interrupts = Interrupts()
    before = {number: signal.signal(number, interrupts.note) for number in (signal.SIGINT, *numbers)}
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        interrupts.close()
