"""What the door refused, in the ledger: counts by hour and reason, and a few samples of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.ledger.connection import Transaction, execute, fetch

SAMPLES_MAX = 5  # of an hour and reason, as the table has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The `n`-th request of its hour that was refused for this reason, as far as it is kept: text fit to be shown."""

    reason: str
    n: int
    received_at: datetime
    remote_address: str
    content_length: int | None
    signature: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StrangerCount:
    """Requests refused for one reason, by days of UTC."""

    reason: str
    today: int
    yesterday: int


def note_strangers(tx: Transaction, account: str, *, requests: Mapping[str, int], samples: Sequence[Sample]) -> None:
    """Count these requests into the present hour, keep what there is room for, and let go of what is old."""
    reasons = sorted(requests)
    execute(
        tx,
        "note_strangers",
        account=account,
        reasons=reasons,
        requests=[requests[reason] for reason in reasons],
        sampled=[one.reason for one in samples],
        numbers=[one.n for one in samples],
        received_ats=[one.received_at for one in samples],
        remote_addresses=[one.remote_address for one in samples],
        content_lengths=[one.content_length for one in samples],
        signatures=[one.signature for one in samples],
        bodies=[one.body for one in samples],
    )


def stranger_counts(tx: Transaction, account: str) -> list[StrangerCount]:
    """Of today and yesterday, the most frequent first."""
    return fetch(tx, StrangerCount, "stranger_counts", account=account)


def stranger_samples(tx: Transaction, account: str, *, samples_max: int) -> list[Sample]:
    """The newest first."""
    return fetch(tx, Sample, "stranger_samples", account=account, samples_max=samples_max)
