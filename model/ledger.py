"""A meter event as the model's ledger has it: as much of the real one as the promise needs."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from service.decide import Attempt, Generation
from service.outcomes import Outcome

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class Try:
    """An attempt of the model's ledger."""

    generation: int
    identifier: str
    key: str
    fence: int
    opened_at: float
    told: Attempt
    """As the rules are told of it."""
    ended_at: float | None = None
    outcome: Outcome | None = None

    def is_open(self) -> bool:
        return self.outcome is None

    def close(self, outcome: Outcome, *, at: float) -> None:
        self.ended_at, self.outcome = at, outcome
        answer, name = outcome.answer, type(outcome).__name__.lower()
        self.told = replace(self.told, outcome=name, status=answer.status, is_replayed=answer.is_replayed)


@dataclass(slots=True, kw_only=True)
class MeterEvent:
    state: str = "sealed"
    generation: int = 1
    doubt: datetime | None = None
    due_at: float = 0.0
    absent_since: datetime | None = None
    retries: int = 0
    tries: list[Try] = field(default_factory=list)

    def current(self) -> list[Try]:
        return [one for one in self.tries if one.generation == self.generation]

    def facts(self) -> Generation:
        return Generation(identifier=f"mp-{self.generation}", ambiguous_since=self.doubt)


def moment(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)
