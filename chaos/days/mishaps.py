"""Processes killed within a call, and callers frozen in one, whose call or answer comes after the lane is another's.

One mishap follows another in the course of a run, each time of the kind that has happened least, so that none is left
to chance. They strike between sealing and sending, when lanes are due.
"""

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from chaos.days.gateways import DyingGateway, FreezingGateway, Ice, Killed
from chaos.days.works import ACCOUNT, TIMING, Works
from service.ledger import lanes
from service.ledger.lanes import Lease

KILLED_BEFORE = "killed between opening and calling"
KILLED_AFTER = "killed between answer and closing"
FROZEN_BEFORE = "frozen before calling, beyond the lease"
FROZEN_AFTER = "frozen between call and answer, for hours"
FROZEN_FOR_DAYS = "frozen before calling, until Stripe had forgotten"
KINDS = (KILLED_BEFORE, KILLED_AFTER, FROZEN_BEFORE, FROZEN_AFTER, FROZEN_FOR_DAYS)
LANES_TRIED_MAX = 12  # of which one freezes or is killed
LANES_KILLED_MAX = 64
CALLS_BEFORE_MAX = 1
ANSWER_MIN, ANSWER_MAX = timedelta(hours=2), timedelta(hours=40)
# With the longest step that follows, within the 24 hours in which Stripe knows the identifier: a first call that comes
# as late as that counts at most once, whatever others did meanwhile.
CALL_MAX = timedelta(hours=12)
# Of a call that comes later than that, no client could prevent that it counts a second time. It is not in vain that it
# is thrown in: it has to be found. So late after somebody else's call was accepted:
FORGOTTEN = timedelta(hours=25)
REACHED_POLL_S = 0.005
FIRST_CALL = """
SELECT count(*) = 1 AND bool_and(formula <> 'last')
FROM attempt
JOIN generation USING (meter_event_id, generation)
JOIN meter_event USING (meter_event_id)
WHERE generation.identifier = %s
"""
ACCEPTED_BEFORE = """
SELECT accepted_at < ledger_now() - %s
FROM meter_event
JOIN generation USING (meter_event_id, generation)
WHERE identifier = %s AND state IN ('accepted', 'confirmed')
"""


@dataclass(slots=True, kw_only=True)
class Frozen:
    kind: str
    ice: Ice
    thread: threading.Thread
    until: timedelta


@dataclass(slots=True, kw_only=True)
class Mishaps:
    works: Works
    chance: Random
    did: Counter[str] = field(default_factory=Counter)
    forgotten: set[str] = field(default_factory=set)  # identifiers of calls that came when Stripe had forgotten them
    _frozen: list[Frozen] = field(default_factory=list)

    def strike(self, passed: timedelta) -> None:
        """The kind that has happened least, at this instant of the run."""
        kinds = list(KINDS)
        self.chance.shuffle(kinds)
        kind = min(kinds, key=self.did.__getitem__)
        leases = self._leases(lanes_max=LANES_TRIED_MAX)
        struck = next((n for n, lease in enumerate(leases, 1) if self._strike(kind, lease, passed)), len(leases))
        for lease in leases[struck:]:
            self._give_back(lease)

    def kill_all(self) -> None:
        """Everybody who calls dies within a call; nobody comes to ask again before Stripe itself is away."""
        for lease in self._leases(lanes_max=LANES_KILLED_MAX):
            kind = self.chance.choice((KILLED_BEFORE, KILLED_AFTER))
            self._kill(kind, lease, calls_before=0)

    def thaw(self, passed: timedelta, *, is_fair: bool) -> None:
        """Those whose time has come go on where they stood; what is to count twice does so in fair weather."""
        for frozen in list(self._frozen):
            is_ripe = is_fair and self._is_forgotten(frozen) if frozen.kind == FROZEN_FOR_DAYS else True
            if frozen.until <= passed and is_ripe:
                self._melt(frozen)

    def thaw_all(self) -> None:
        for frozen in list(self._frozen):
            self._melt(frozen)

    def _strike(self, kind: str, lease: Lease, passed: timedelta) -> bool:
        if kind in {KILLED_BEFORE, KILLED_AFTER}:
            return self._kill(kind, lease, calls_before=self.chance.randint(0, CALLS_BEFORE_MAX))
        return self._freeze(kind, lease, is_called=kind == FROZEN_AFTER, passed=passed)

    def _kill(self, kind: str, lease: Lease, *, calls_before: int) -> bool:
        is_called = kind == KILLED_AFTER
        gateway = DyingGateway(self.works.settings, calls_before=calls_before, is_called=is_called)
        try:
            self.works.another_submitter(gateway).turn(lease)
        except Killed:
            self.did[kind] += 1
            return True
        return False

    def _freeze(self, kind: str, lease: Lease, *, is_called: bool, passed: timedelta) -> bool:
        ice = Ice()
        gateway = FreezingGateway(
            self.works.settings, ice, is_called=is_called, is_chosen=lambda one: is_called or self._is_first(one)
        )
        thread = threading.Thread(target=self.works.another_submitter(gateway).turn, args=(lease,))
        thread.start()
        while thread.is_alive() and not ice.reached.wait(REACHED_POLL_S):
            pass
        if ice.reached.is_set():
            self.did[kind] += 1
            self._frozen.append(Frozen(kind=kind, ice=ice, thread=thread, until=passed + self._lasts(kind)))
        return ice.reached.is_set()

    def _lasts(self, kind: str) -> timedelta:
        if kind == FROZEN_AFTER:
            return ANSWER_MIN + (ANSWER_MAX - ANSWER_MIN) * self.chance.random()
        return CALL_MAX * self.chance.random()

    def _melt(self, frozen: Frozen) -> None:
        if frozen.kind == FROZEN_FOR_DAYS:
            self.forgotten.add(frozen.ice.identifier)
        frozen.ice.melted.set()
        frozen.thread.join()
        self.works.wait_for_stripe()
        self._frozen.remove(frozen)

    def _is_first(self, identifier: str) -> bool:
        return bool(self.works.ask(FIRST_CALL, identifier)[0][0])

    def _is_forgotten(self, frozen: Frozen) -> bool:
        found = self.works.ask(ACCEPTED_BEFORE, FORGOTTEN, frozen.ice.identifier)
        return bool(found and found[0][0])

    def _leases(self, *, lanes_max: int) -> list[Lease]:
        with self.works.ledger.transaction() as tx:
            return lanes.lease_lanes(tx, ACCOUNT, lanes_max=lanes_max, timing=TIMING)

    def _give_back(self, lease: Lease) -> None:
        with self.works.ledger.transaction() as tx:
            lanes.release_lane(tx, lease, rest_s=0)
