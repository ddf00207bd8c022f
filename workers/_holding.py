"""Step 6, for drafts: draft → held → finalized, once all of its usage is confirmed or its time is up.

METERPOST_HOLD_DRAFTS decides whether drafts are held. That one is to be held, and that it is to be finalized, is
written down before Stripe is asked, and each call asks for a state: a crash anywhere leaves a hold that the next look
goes on with, and two who look at it at once do no harm. Whatever a person does with the draft meanwhile stands.
"""

from service.crash_points import crash_point
from service.gateway import Gateway, NotFound, StripeRefused
from service.ledger import Ledger, draft_holds
from service.ledger.draft_holds import Hold, Missing
from service.logs import say
from service.stripe_drafts import DRAFT
from service.timing import Timing

OPEN = "open"  # final, and neither paid nor given up
FINALIZED, WAS_FINAL, GONE = "finalized", "was final", "gone"


class DraftKeeper:
    """Holds an account's drafts. `hold_s` 0: no more, but what is held is seen to its end."""

    def __init__(self, ledger: Ledger, gateway: Gateway, account: str, *, timing: Timing, hold_s: int) -> None:
        self._ledger = ledger
        self._drafts = gateway.drafts
        self._account = account
        self._timing = timing
        self._hold_s = hold_s

    def keep_due(self) -> int:
        """Look at the holds that are due. Returns how many."""
        with self._ledger.transaction() as tx:
            if self._hold_s:
                draft_holds.want_holds(tx, self._account, hold_s=self._hold_s)
            claimed = draft_holds.claim_holds(tx, self._account, timing=self._timing)
            crash_point("hold.before_claim_commit")
        crash_point("hold.after_claim_commit")
        for hold in claimed:
            self._look_at(hold)
        return len(claimed)

    def _look_at(self, hold: Hold) -> None:
        """Raises StripeUnavailable: the claim comes back by itself, and the others' with it."""
        try:
            self._turn(hold)
        except NotFound:
            self._end(hold, GONE)
        except StripeRefused as refused:
            self._later(hold, said=str(refused))
            say("draft.refused", invoice=hold.invoice, reason=str(refused), wait_s=self._timing.unread_wait_s)

    def _turn(self, hold: Hold) -> None:
        if hold.status is None:
            self._end(hold, GONE)
        elif hold.status != DRAFT:
            self._end_final(hold)
        elif hold.is_released:
            self._finalize(hold)
        elif not hold.is_held and hold.now < hold.deadline:
            self._hold(hold)
        elif (missing := self._missing(hold)) is None:
            self._later(hold)
        else:
            self._release(hold, missing)

    def _end_final(self, hold: Hold) -> None:
        """Whether by us is written down; what Stripe was asked without an answer may have come after it was final."""
        if hold.status == OPEN and not (hold.is_held or hold.is_released):
            self._let_go(hold)
        self._end(hold, FINALIZED if hold.is_released else WAS_FINAL)

    def _hold(self, hold: Hold) -> None:
        status = self._drafts.hold(hold.invoice)
        crash_point("hold.after_held")
        if status != DRAFT:
            self._let_go(hold)
            self._end(hold, WAS_FINAL)
            return
        with self._ledger.transaction() as tx:
            draft_holds.note_held(tx, self._account, hold.invoice, timing=self._timing)
            crash_point("hold.before_held_commit")
        crash_point("hold.after_held_commit")
        say("draft.held", invoice=hold.invoice, deadline=hold.deadline.isoformat())

    def _let_go(self, hold: Hold) -> None:
        """It was final in the meantime, and is to be collected as ever."""
        self._drafts.let_go(hold.invoice)
        crash_point("hold.after_let_go")

    def _missing(self, hold: Hold) -> Missing | None:
        """What it is finalized without; None: not now, because it may still come."""
        with self._ledger.transaction() as tx:
            missing = draft_holds.missing_of_draft(tx, self._account, hold.invoice)
        is_whole = missing.rows == 0 and hold.now >= hold.not_before
        return missing if is_whole or hold.now >= hold.deadline else None

    def _release(self, hold: Hold, missing: Missing) -> None:
        with self._ledger.transaction() as tx:
            draft_holds.release_hold(tx, self._account, hold.invoice, missing=missing)
            crash_point("hold.before_release_commit")
        crash_point("hold.after_release_commit")
        if missing.rows:
            say("draft.cut_short", invoice=hold.invoice, rows=missing.rows, units=missing.units)
        self._finalize(hold)

    def _finalize(self, hold: Hold) -> None:
        """Refused where an earlier call of ours did it and its answer was lost."""
        try:
            self._drafts.finalize(hold.invoice)
            crash_point("hold.after_finalized")
        except NotFound:
            raise
        except StripeRefused:
            if self._drafts.status(hold.invoice) == DRAFT:
                raise
        self._end(hold, FINALIZED)

    def _end(self, hold: Hold, ending: str) -> None:
        with self._ledger.transaction() as tx:
            draft_holds.end_hold(tx, self._account, hold.invoice, ending=ending)
            crash_point("hold.before_end_commit")
        crash_point("hold.after_end_commit")
        say("draft.let_go", invoice=hold.invoice, ending=ending)

    def _later(self, hold: Hold, *, said: str | None = None) -> None:
        with self._ledger.transaction() as tx:
            draft_holds.look_later(tx, self._account, hold.invoice, timing=self._timing, said=said)
            crash_point("hold.before_later_commit")
        crash_point("hold.after_later_commit")
