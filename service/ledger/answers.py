"""How the desk answers an order: done and on the books, nothing to do, or not possible, with what is."""

from dataclasses import dataclass

from service.ledger.actions import Order, closing_action, note_action
from service.ledger.connection import Transaction
from service.letters import LetterId


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """It is done, and on the books as this action."""

    letter: str
    action_id: int
    before: str
    after: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unneeded:
    """There is nothing to do; nothing was changed."""

    letter: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """It cannot be done; nothing was changed. The text says what can."""

    letter: str
    text: str


Answer = Acted | Unneeded | Declined


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """One order about one letter, in the transaction in which it is done."""

    tx: Transaction
    letter: LetterId
    order: Order

    def retried(self, *, before: str, after: str, text: str) -> Acted:
        return self._acted("retry", before=before, after=after, text=text)

    def discarded(self, *, before: str, text: str) -> Acted:
        return self._acted("discard", before=before, after="discarded", text=text)

    def replayed(self, *, before: str, text: str) -> Acted:
        return self._acted("replay", before=before, after="received", text=text)

    def unneeded(self, text: str) -> Unneeded:
        return Unneeded(letter=str(self.letter), text=f"{text}; nothing was changed")

    def declined(self, text: str) -> Declined:
        return Declined(letter=str(self.letter), text=text)

    def unknown(self) -> Declined:
        return self.declined("the ledger has nothing of this id; see meterpost dead list")

    def closed(self) -> Unneeded | None:
        """The answer where a person closed it before, else None. After the lock of what it is about."""
        closing = closing_action(self.tx, str(self.letter))
        if closing is None:
            return None
        when = closing.acted_at.isoformat(timespec="seconds")
        return self.unneeded(f"it was {closing.state_after} by {closing.actor} at {when}: {closing.reason}")

    def _acted(self, verb: str, *, before: str, after: str, text: str) -> Acted:
        letter = str(self.letter)
        action_id = note_action(self.tx, self.order, verb, subject=letter, before=before, after=after)
        return Acted(letter=letter, action_id=action_id, before=before, after=after, text=text)
