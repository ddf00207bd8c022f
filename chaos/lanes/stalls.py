"""How long a busy machine holds processes up: no limiter can space what is delayed on its way to Stripe."""

import subprocess
import sys
from types import TracebackType
from typing import Self

END_S = 5.0
# A process of its own, as each that submits is: it wakes up, asks the sandbox and has its answer, late by how much?
ASK = """
import http.client, select, sys, time
sandbox = http.client.HTTPConnection(sys.argv[1])
longest_s, shortest_s = 0.0, 60.0
while True:
    at_s = time.monotonic()
    if select.select([sys.stdin], [], [], 0.02)[0]:
        break
    sandbox.request("GET", "/_sandbox/faults")
    sandbox.getresponse().read()
    spent_s = time.monotonic() - at_s
    longest_s, shortest_s = max(longest_s, spent_s), min(shortest_s, spent_s)
print(max(0.0, longest_s - shortest_s))
"""


class Stalls:
    """`longest_s` is known at the end."""

    longest_s = 0.0

    def __init__(self, sandbox_url: str) -> None:
        self._sandbox = sandbox_url.removeprefix("http://")

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-c", ASK, self._sandbox], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        told, _ = self._process.communicate(timeout=END_S)
        self.longest_s = float(told)
