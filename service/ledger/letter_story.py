"""Everything the ledger knows of one dead letter, whether it still stands on the desk or not."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from service.ledger.actions import OperatorAction, actions_on
from service.ledger.connection import Transaction, fetch_one
from service.ledger.desk import DeadLetter, dead_letter
from service.ledger.event_story import EventFailure, ToldEvent, event_failures, told_event
from service.ledger.replaying import ReplayedRow, replayed_from
from service.ledger.signups_shown import ShownSignup, signups_found
from service.ledger.story import QuarantinedRow, Story, tell_meter_event
from service.letters import Kind, LetterId


@dataclass(frozen=True, slots=True)
class ToldOtherwise:
    """A row told again with other content, and what was told first; entries may have been archived."""

    account: str
    source: str
    row_id: str
    customer: str
    meter: str | None
    value: Decimal | None
    occurred_at: datetime | None
    said: dict[str, Any] | None  # all of it, of a subscription
    recorded_at: datetime
    entry_id: int
    first_customer: str | None
    first_meter: str | None
    first_value: Decimal | None
    first_occurred_at: datetime | None
    first_said: dict[str, Any] | None

    @property
    def is_alike(self) -> bool:
        """Whether they differ in something that the ledger does not keep: a unit, or whether a time was told."""
        if self.said is not None or self.first_said is not None:
            return False
        first = (self.first_customer, self.first_meter, self.first_value, self.first_occurred_at)
        return first == (self.customer, self.meter, self.value, self.occurred_at)


@dataclass(frozen=True, slots=True)
class ToldExternal:
    """What Stripe counts in a minute and the restored ledger did not know."""

    epoch_id: int
    customer: str
    meter: str
    minute: datetime
    value: Decimal
    found_at: datetime
    meter_event_id: int | None


@dataclass(frozen=True, slots=True)
class _Account:
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterStory:
    """Only what belongs to its kind is filled. `standing` is None once it has left the desk."""

    standing: DeadLetter | None
    meter_event: Story | None = None
    quarantined: QuarantinedRow | None = None
    replayed: list[ReplayedRow]
    conflict: ToldOtherwise | None = None
    event: ToldEvent | None = None
    failures: list[EventFailure]  # of an event
    external: ToldExternal | None = None
    signup: ShownSignup | None = None
    actions: list[OperatorAction]  # the newest first

    @property
    def is_empty(self) -> bool:
        known = self.meter_event.meter_events if self.meter_event else None
        return not (known or self.quarantined or self.conflict or self.event or self.external or self.signup)


def tell_letter(tx: Transaction, letter: LetterId) -> LetterStory:
    is_meter_event, is_quarantined = letter.kind is Kind.METER_EVENT, letter.kind is Kind.QUARANTINED
    return LetterStory(
        standing=dead_letter(tx, letter),
        meter_event=tell_meter_event(tx, letter.number) if is_meter_event else None,
        quarantined=_quarantined(tx, letter) if is_quarantined else None,
        replayed=replayed_from(tx, letter) if is_quarantined else [],
        conflict=_conflict(tx, letter) if letter.kind is Kind.CONFLICTING else None,
        event=told_event(tx, letter.key) if letter.kind is Kind.EVENT else None,
        failures=event_failures(tx, letter.key) if letter.kind is Kind.EVENT else [],
        external=_external(tx, letter) if letter.kind is Kind.EXTERNAL else None,
        signup=_signup(tx, letter) if letter.kind is Kind.SIGNUP else None,
        actions=actions_on(tx, str(letter)),
    )


def _quarantined(tx: Transaction, letter: LetterId) -> QuarantinedRow | None:
    return fetch_one(tx, QuarantinedRow, "quarantined", quarantine_id=letter.number)


def _conflict(tx: Transaction, letter: LetterId) -> ToldOtherwise | None:
    return fetch_one(tx, ToldOtherwise, "conflicting", conflict_id=letter.number)


def _external(tx: Transaction, letter: LetterId) -> ToldExternal | None:
    return fetch_one(tx, ToldExternal, "external", external_id=letter.number)


def _signup(tx: Transaction, letter: LetterId) -> ShownSignup | None:
    named = fetch_one(tx, _Account, "account_of_signup", signup_id=letter.number)
    found = signups_found(tx, named.account, str(letter)) if named is not None else []
    return next((one for one in found if one.signup_id == letter.number), None)
