"""What must be true of a ledger at any instant, whatever was killed: sentences, and the queries that find breaches.

Nothing here repairs. A breach means that something wrote behind the ledger's rules, or that the rules are wrong; a unit
may be lost or doubled, and what is named is where to look. Each query sees one snapshot, so that work in progress
breaches nothing.
"""

from dataclasses import dataclass
from datetime import timedelta

from service.decide import window
from service.ledger.actions import broken_actions
from service.ledger.connection import Transaction, fetch
from service.timing import Timing

BREACHES_MAX = 20  # named, of one invariant; one says that it is broken
OVERDUE = timedelta(minutes=15)  # longer than a lease, a drain and a restart of everything together

QUERIES = {
    "invariant_intakes": "what an intake counted is what it wrote",
    "invariant_rows": "each row that was recorded has its one entry, or its one signup",
    "invariant_bells": "an entry without a meter event has a bell that makes it be looked for",
    "invariant_sums": "a meter event says what its entries say, all of them of its lane and bucket",
    "invariant_attempts": "all attempts of a generation carry its identifier",
    "invariant_window": "no attempt was opened so late after the first doubt that Stripe may have forgotten it",
    "invariant_doubts": "what may have counted says since when",
    "invariant_generations": "a next generation was made only of what is proven absent or was never in doubt",
    "invariant_acceptances": "what Stripe accepted is not to be sent, and what is accepted was accepted by Stripe",
    "invariant_reports": "what an error report names is neither to be sent nor accepted",
    "invariant_corrections": "a correction has its action and its entry, and no other entry is of our source",
    "invariant_backfills": "the rows of a closed backfill are entries, and of a reverted one nothing counts",
    "invariant_cancelled": "what is cancelled was taken back by a person, and Stripe's books show nothing of it",
    "invariant_signups": "a row has one subscription, and what is to be made stands where subscribe looks for it",
    "invariant_signup_keys": "a subscription is asked for under a next key only if nothing was made under the last",
    "invariant_wanted": "what is to be sent or confirmed stands where submit and reconcile look for it",
    "invariant_overdue": "nothing lies where it is due, but for what is paused",
}
ACTIONS = "actions"
INVARIANTS = {
    **{query.removeprefix("invariant_"): says for query, says in QUERIES.items()},
    ACTIONS: "the chain of operators' actions is whole",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One thing of which an invariant does not hold."""

    invariant: str  # a key of INVARIANTS
    subject: str  # such as "me-12", "entry 7", "lane 3"
    said: str


@dataclass(frozen=True, slots=True)
class _Found:
    subject: str
    said: str


def check(tx: Transaction, *, timing: Timing) -> list[Breach]:
    """Every breach, up to BREACHES_MAX of an invariant. Reads the whole ledger: seconds for a million rows."""
    limits = {"breaches_max": BREACHES_MAX, "window": window(timing), "overdue": OVERDUE}
    limits |= {"listing_again": timedelta(seconds=timing.listing_again_s)}
    found = [(query.removeprefix("invariant_"), fetch(tx, _Found, query, **limits)) for query in QUERIES]
    found.append((ACTIONS, _changed_actions(tx)))
    return [Breach(invariant=name, subject=one.subject, said=one.said) for name, some in found for one in some]


def _changed_actions(tx: Transaction) -> list[_Found]:
    said = "it was changed, or what came before it, behind the ledger's back"
    return [_Found(subject=f"action {action_id}", said=said) for action_id in broken_actions(tx)]
