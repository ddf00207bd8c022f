"""What stands at each step of the ledger, and since when: the figures of `meterpost status`."""

from dataclasses import dataclass
from datetime import datetime

from service.ledger.connection import Transaction, fetch, fetch_one


@dataclass(frozen=True, slots=True)
class Standing:
    """How many rows, meter events or events are in one state. `since` is the oldest one's time, where age matters."""

    step: str
    state: str
    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class _Meter:
    meter: str


@dataclass(frozen=True, slots=True)
class _Time:
    now: datetime


def overview(tx: Transaction) -> list[Standing]:
    return fetch(tx, Standing, "overview")


def ledger_time(tx: Transaction) -> datetime:
    """The ledger's clock, which tests can move."""
    found = fetch_one(tx, _Time, "ledger_time")
    assert found is not None, "a clock always answers"
    return found.now


def meters_in_use(tx: Transaction, account: str) -> list[str]:
    """Every meter that a recorded row names."""
    return [found.meter for found in fetch(tx, _Meter, "meters_in_use", account=account)]
