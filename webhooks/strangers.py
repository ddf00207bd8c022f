"""What the door refuses: counted by reason, a few of each kept for whoever looks into it, and nothing more.

Whoever knows the address may send what he likes as often as he likes. So a refusal costs a count in memory; every ten
seconds at most the counts become a line in the log each and one statement, and memory holds no more than a few samples
of a reason. What the ledger cannot take now is counted on. A kill loses the counts of ten seconds: they are no books.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import psycopg

from service.ledger import Ledger, LedgerUnavailable
from service.ledger.strangers import SAMPLES_MAX, Sample, note_strangers
from service.logs import say
from service.redaction import on_one_line, scrub
from webhooks.verify import Refusal

WRITE_EVERY_S = 10
SIGNATURE_CHARS_MAX = 200
BODY_BYTES_MAX = 512
LENGTH_MAX = 2**62  # as a column can have it
HOUR_S = 3_600


class Reason(StrEnum):
    """Why a request was refused, besides its signature (`Refusal`). The last two were signed."""

    GARBLED = "garbled"  # no HTTP
    PATH = "path"
    METHOD = "method"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"  # its body broke off, or is none
    NO_EVENT = "no_event"
    OTHER_MODE = "other_mode"


REASONS = len(Reason) + len(Refusal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What there is of a refused request; the body only where it was read."""

    remote_address: str
    content_length: int | None = None
    signature: str = ""
    body: bytes = b""


class Strangers:
    """Counts for one process, which closes them at its end. Thread-safe."""

    def __init__(self, ledger: Ledger, account: str, *, write_every_s: float = WRITE_EVERY_S) -> None:
        self._ledger = ledger
        self._account = account
        self._write_every_s = write_every_s
        self._counting, self._writing = threading.Lock(), threading.Lock()
        self._untold, self._unwritten = Counter[str](), Counter[str]()
        self._samples: list[Sample] = []
        self._sampled, self._hour = Counter[str](), 0
        self._timer: threading.Timer | None = None
        self._is_closed = False

    def count(self, reason: Reason | Refusal, told: Callable[[], Told]) -> None:
        """One more. `told` is called where a sample is wanted, which is seldom."""
        with self._counting:
            self._untold[reason] += 1
            if self._wants(reason):
                self._sampled[reason] += 1
                self._samples.append(_sample(reason, self._sampled[reason], told()))
            self._see_to_writing()

    def write(self) -> None:
        """Say and write down what was counted since the last time."""
        with self._writing:
            for reason, requests in self._take().items():
                say("stranger.refused", reason=reason, requests=requests)
            if self._unwritten and not self._has_written():
                with self._counting:
                    self._see_to_writing()

    def close(self) -> None:
        """Write down what there is; nothing is written afterwards."""
        with self._counting:
            self._is_closed = True
            if self._timer is not None:
                self._timer.cancel()
        self.write()

    def _take(self) -> Counter[str]:
        with self._counting:
            untold, self._untold, self._timer = self._untold, Counter(), None
            self._unwritten += untold
            return untold

    def _has_written(self) -> bool:
        with self._counting:
            samples = self._samples[:]
        try:
            with self._ledger.transaction() as tx:
                note_strangers(tx, self._account, requests=self._unwritten, samples=samples)
        except (LedgerUnavailable, psycopg.Error) as away:
            say("worker.waiting", step="receive", reason=str(away))
            return False
        with self._counting:
            self._unwritten.clear()
            del self._samples[: len(samples)]
        return True

    def _wants(self, reason: str) -> bool:
        hour = int(time.time() // HOUR_S)
        if hour != self._hour:
            self._sampled, self._hour = Counter(), hour
        return self._sampled[reason] < SAMPLES_MAX and len(self._samples) < SAMPLES_MAX * REASONS

    def _see_to_writing(self) -> None:
        if self._timer is None and not self._is_closed:
            self._timer = threading.Timer(self._write_every_s, self.write)
            self._timer.daemon = True
            self._timer.start()


def _sample(reason: str, n: int, told: Told) -> Sample:
    return Sample(
        reason=reason,
        n=n,
        received_at=datetime.now(UTC),
        remote_address=on_one_line(told.remote_address),
        content_length=None if told.content_length is None else min(told.content_length, LENGTH_MAX),
        signature=_shown(told.signature[:SIGNATURE_CHARS_MAX]),
        body=_shown(told.body[:BODY_BYTES_MAX].decode(errors="backslashreplace")),
    )


def _shown(text: str) -> str:
    """Without what looks like a secret, and in characters that PostgreSQL and a terminal take."""
    return on_one_line(scrub(text))
