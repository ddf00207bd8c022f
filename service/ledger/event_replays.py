"""An event put back to received by a person's order: the normal path applies it again, from the start.

Also an applied one: its effect is written down at most once, and an old word changes no mirror. What a person took off
the desk stays off it, or its next failure would stand there unseen.
"""

from service.ledger.answers import Answer, Ordered
from service.ledger.connection import execute, fetch_one
from service.ledger.remedies import DeadEvent

AGAIN = "it is applied again from the start, by the normal path"


def replay_event(ordered: Ordered) -> Answer:
    found = fetch_one(ordered.tx, DeadEvent, "dead_event", event_id=ordered.letter.key)
    if found is None:
        return ordered.declined("the ledger has no such event; see meterpost events list, or events catch-up")
    if closed := ordered.closed():
        return closed
    if execute(ordered.tx, "replay_event", account=found.account, event_id=found.event_id) == 0:
        return ordered.unneeded("it is received, and applied soon")
    return ordered.replayed(before=found.state, text=AGAIN)
