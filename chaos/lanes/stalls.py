"""How long a busy machine holds processes up: no limiter can space what is delayed on its way to Stripe."""

import subprocess
import sys
from types import TracebackType
from typing import Self

END_S = 5.0
# A process of its own, which wants next to nothing: what makes it late is the machine and none of our locks.
WAKE_UP = """
import select, sys, time
longest_s = 0.0
while True:
    at_s = time.monotonic()
    if select.select([sys.stdin], [], [], 0.005)[0]:
        break
    longest_s = max(longest_s, time.monotonic() - at_s - 0.005)
print(longest_s)
"""


class Stalls:
    """`longest_s` is known at the end."""

    longest_s = 0.0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-c", WAKE_UP], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        told, _ = self._process.communicate(timeout=END_S)
        self.longest_s = float(told)
