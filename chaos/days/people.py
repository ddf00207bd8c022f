"""A person at the desk, who retries what is there as often as it pleases, gives a few up, and stops and resumes."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from chaos.days.works import ACCOUNT, TIMING, Works
from service.ledger import desk, pauses, remedies
from service.ledger.actions import Order
from service.ledger.answers import Acted, Ordered
from service.letters import read_letter_id

VISIT_SHARE = 0.5  # of the looks at the desk
LETTERS_A_VISIT = 12
RETRIES_MAX = 4  # of one letter, one after another
DISCARD_SHARE = 0.02
DISCARDS_MAX = 8
PAUSE_SHARE = 0.04
ORDER = Order(actor="a person", reason="tried to see what happens")
ANY = desk.Wanted()


@dataclass(slots=True, kw_only=True)
class Person:
    works: Works
    chance: Random
    did: Counter[str] = field(default_factory=Counter)
    _is_paused: bool = False

    def visit(self) -> None:
        """Perhaps; and whatever is on the desk."""
        if self._is_paused or self.chance.random() < PAUSE_SHARE:
            self._pause_or_resume()
        if self.chance.random() >= VISIT_SHARE:
            return
        with self.works.ledger.transaction() as tx:
            letters = [one.letter for one in desk.dead_letters(tx, ANY)]
        for letter in self.chance.sample(letters, min(len(letters), LETTERS_A_VISIT)):
            self.act(letter)

    def act(self, letter: str) -> None:
        if self.did["discarded"] < DISCARDS_MAX and self.chance.random() < DISCARD_SHARE:
            self._order("discarded", letter)
        for _ in range(self.chance.randint(1, RETRIES_MAX)):
            self._order("retried", letter)

    def go_home(self) -> None:
        """Nothing stays paused."""
        if self._is_paused:
            self._pause_or_resume()

    def _order(self, what: str, letter: str) -> None:
        with self.works.ledger.transaction() as tx:
            ordered = Ordered(tx=tx, letter=read_letter_id(letter), order=ORDER)
            answer = remedies.discard(ordered) if what == "discarded" else remedies.retry(ordered, timing=TIMING)
        self.did[what if isinstance(answer, Acted) else type(answer).__name__.lower()] += 1

    def _pause_or_resume(self) -> None:
        with self.works.ledger.transaction() as tx:
            change = pauses.resume if self._is_paused else pauses.pause
            change(tx, ACCOUNT, "tokens", order=ORDER)
        self._is_paused = not self._is_paused
        self.did["paused" if self._is_paused else "resumed"] += 1
