"""What a scenario plays of rows and meter events: what was before, and the step at which somebody dies."""

from datetime import timedelta
from typing import Any

from chaos.crashes.place import LEASE_IS_OVER, TIMING, Place, asked_again
from service.ledger import LedgerUnavailable, lanes
from service.timing import RETRY_WINDOW_S
from workers._reading_back import Reader

WINDOW_IS_OVER = timedelta(seconds=RETRY_WINDOW_S)
ABSENCE_SHOWS = timedelta(seconds=TIMING.absence_wait_s)
READ_AGAIN = timedelta(seconds=TIMING.absence_again_s + 60)
BOOKS = "*/event_summaries"


def nothing(_: Place) -> None:
    """Nobody does anything."""


def rows_of_three(place: Place) -> None:
    """A dozen rows of three lanes: one told twice, one told twice and differently, one that is none."""
    place.make_meter("tokens")
    ada, bob = place.make_customer("ada"), place.make_customer("bob")
    place.make_customer("cyd")
    place.use("ada", "tokens", 1, 2, 3)
    place.use("bob", "tokens", 4, 5)
    place.use("cyd", "tokens", 6, 7, 8)
    place.put(place.row(ada, "tokens", 1, minute=0), place.row(bob, "tokens", 99, minute=0))
    place.put(place.row(ada, "tokens", 1, minute=50) | {"valeu": "2"})


def row_of_one(place: Place, *values: int) -> None:
    place.make_meter("tokens")
    place.make_customer("ada")
    place.use("ada", "tokens", *(values or (5,)))


def walk_twice(place: Place) -> None:
    place.walk()
    place.pass_time(LEASE_IS_OVER)
    place.walk()


class SlowGateway:
    """Its answer comes when the lane is another's and has been sent again."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def send_meter_event(self, event_name: str, **said: Any) -> Any:
        answer = self._place.setup.gateway.send_meter_event(event_name, **said)
        self._place.pass_time(LEASE_IS_OVER)
        self._place.submitter.drain("default", 0)
        return answer


def seal_one(place: Place) -> None:
    row_of_one(place)
    place.recorder.record_some()
    place.sealer.seal_due()


def answer_late(place: Place) -> None:
    try:
        place.make_submitter(SlowGateway(place)).drain("default", 0)
    except LedgerUnavailable:
        place.pass_time(LEASE_IS_OVER)
    place.walk()


class FrozenGateway:
    """Stopped for 26 hours just before it calls, while others send and confirm: what it then sends counts again."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def send_meter_event(self, event_name: str, **told: Any) -> Any:
        self._place.pass_time(LEASE_IS_OVER)
        self._place.walk()
        self._place.pass_time(timedelta(hours=26))
        return self._place.setup.gateway.send_meter_event(event_name, **told)


def count_twice(place: Place) -> None:
    seal_one(place)
    with place.ledger.transaction() as tx:
        (lease,) = lanes.lease_lanes(tx, "default", lanes_max=1, timing=TIMING)
    place.make_submitter(FrozenGateway(place)).turn(lease)


def limited(place: Place) -> None:
    row_of_one(place, 1, 2, 3)
    place.fault("rate_limited", times=1, reason="global-rate")


def key_refused(place: Place) -> None:
    row_of_one(place, 1, 2, 3)
    place.fault("unauthorized", times=1)


def books_away(place: Place) -> None:
    row_of_one(place, 1, 2)
    place.fault("error_before", path=BOOKS, times=1)


def two_of_a_lane(place: Place) -> None:
    row_of_one(place, 1, 2)


def read_while_away(place: Place) -> None:
    place.pass_time(WINDOW_IS_OVER)
    place.fault("error_before", path=BOOKS, times=1)
    walk_twice(place)


def read_as_one_of_many(place: Place) -> None:
    """Others write to our meters too: nobody but a person can tell."""
    ours, gateway = place.reader, place.setup.gateway
    place.pass_time(WINDOW_IS_OVER)
    place.reader = Reader(place.ledger, gateway, "default", timing=TIMING, is_only_writer=False)
    walk_twice(place)
    place.reader = ours


def two_of_a_minute(place: Place) -> None:
    place.make_meter("seats", formula="count")
    place.make_customer("ada")
    place.use("ada", "seats", 1, 1, minutes_apart=0.5)


def read_beside_what_moves(place: Place) -> None:
    """One of the minute is held, and the other is still to be sent."""
    place.pass_time(WINDOW_IS_OVER)
    asked_again(place.read_back)
    place.walk()


def hold_and_show_canary(place: Place) -> None:
    """What never landed is held, and a meter event that came after it is in the books."""
    place.pass_time(WINDOW_IS_OVER)
    place.walk()
    place.make_customer("bob")
    place.use("bob", "tokens", 1)
    place.walk()


def prove_absence(place: Place) -> None:
    for passed in (ABSENCE_SHOWS, READ_AGAIN):
        place.pass_time(passed)
        place.walk()


def pin_and_walk(place: Place) -> None:
    try:
        place.walk()
    except LedgerUnavailable:
        place.walk()  # its supervisor started it again
