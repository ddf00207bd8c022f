"""What a scenario plays of a Stripe that takes meter events and rejects them later."""

from datetime import timedelta
from typing import Any

from chaos.crashes.place import Place
from chaos.crashes.stories import row_of_one, walk_twice
from chaos.crashes.visitors import ORDER, deliver
from cli.main import run
from service.event_types import THIN_TYPES

REJECTED = (1, 2, 4)
WINDOW_IS_OVER = timedelta(seconds=11)  # and Stripe has reported what it rejected in it


def rejected(place: Place) -> None:
    """Three are accepted that will be rejected."""
    row_of_one(place, *REJECTED)
    place.fault("rejected_later", code="meter_event_customer_not_found", times=len(REJECTED))
    place.walk()
    place.pass_time(WINDOW_IS_OVER)


def report_and_send_anew(place: Place) -> None:
    """Stripe delivers its reports, which name all three; a person has them sent again."""
    asked: Any = {"types": list(THIN_TYPES)}
    for told in place.stripe.v2.core.events.list(asked).data:
        deliver(place, {name: value for name, value in told.to_dict(for_json=True).items() if name != "data"})
    walk_twice(place)
    run(("dead", "drain", "--class", "refused", "--yes", "--rate", "1000/s", *ORDER))
    place.walk()
