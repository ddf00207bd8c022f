"""Step 4: due lanes and signups → wake-ups.

What is due is asked of the ledger, so starting, retrying and rescuing are this one question: a wake-up that was lost,
and all of Redis with it, is rung again at the next look. A crash here delays by one look and loses nothing.
"""

from collections.abc import Sequence

from service.crash_points import crash_point
from service.ledger import Ledger, accounts, lanes, signup_lanes
from service.ledger.lanes import DueLanes
from service.logs import say
from service.wakeups import WakeUps
from workers._loop import repeat
from workers._setup import set_up

BELLS_MAX = 16  # wake-ups of one account in the queue at once: how many submit processes can be woken at one look


class Dispatcher:
    def __init__(self, ledger: Ledger, *, submit: WakeUps, subscribe: WakeUps, apply: WakeUps) -> None:
        self._ledger = ledger
        self._submit = submit
        self._subscribe = subscribe
        self._apply = apply

    def ring(self) -> int:
        """Queue wake-ups for accounts with due lanes, as many as can work at once, and one for due effects."""
        with self._ledger.transaction() as tx:
            to_send, to_make = lanes.due_lanes(tx), signup_lanes.due_signup_lanes(tx)
            events_of = accounts.accounts_with_events(tx)
        rung = self._submit.ring(_bells(to_send))
        crash_point("dispatch.between_bells")
        rung += self._subscribe.ring(_bells(to_make))
        rung += self._apply.ring([(account,) for account in events_of])
        crash_point("dispatch.after_bells")
        if rung:
            due = {"lanes": sum(of.lanes for of in to_send), "signup_lanes": sum(of.lanes for of in to_make)}
            say("wakeup.sent", wakeups=rung, **due, accounts=events_of)
        return rung


def _bells(due: Sequence[DueLanes]) -> list[tuple[str | int, ...]]:
    return [(of.account, bell) for of in due for bell in range(min(BELLS_MAX, of.lanes))]


def main() -> None:
    with set_up("dispatch") as setup:
        dispatcher = Dispatcher(
            setup.ledger,
            submit=WakeUps(setup.redis, "submit", timing=setup.timing),
            subscribe=WakeUps(setup.redis, "subscribe", timing=setup.timing),
            apply=WakeUps(setup.redis, "apply", timing=setup.timing),
        )
        repeat("dispatch", lambda: dispatcher.ring() and 0, poll_s=setup.timing.poll_s)


if __name__ == "__main__":
    main()
