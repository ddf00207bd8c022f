"""What a scenario plays of what Stripe is asked before anything is sealed, by a Stripe that now and then is deaf."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from stripe import InvalidRequestError

from chaos.crashes.place import LEASE_IS_OVER, TIMING, Place
from chaos.crashes.stories import row_of_one
from workers.record import Recorder

LINGER = timedelta(minutes=5)  # what was learnt of the meter and the customer is stale by then
LINGERING = replace(TIMING, seal_linger_s=int(LINGER.total_seconds()))
SUBSCRIPTIONS, METERS = "/v1/subscriptions", "/v1/billing/meters"


def row_not_due(place: Place) -> None:
    """Recorded, of a new customer and an unknown meter; its bucket is due in a while."""
    row_of_one(place)
    Recorder(place.ledger, place.queue, timing=LINGERING).record_some()


def learn_from_the_deaf(place: Place) -> None:
    """Whom nothing is due of yet is put off and learnt; then what is due and stale; then a meter that takes nothing."""
    _walk_deaf_to(place, SUBSCRIPTIONS)
    place.pass_time(LEASE_IS_OVER)
    place.walk()
    place.pass_time(LINGER)
    _walk_deaf_to(place, SUBSCRIPTIONS)
    place.pass_time(LEASE_IS_OVER)
    _walk_deaf_to(place, METERS)
    place.pass_time(LEASE_IS_OVER)
    place.stripe.v1.billing.meters.deactivate(place.notes.words["tokens"])
    place.walk()


def reactivate(place: Place) -> None:
    with suppress(InvalidRequestError):  # it is active, where somebody died before
        place.stripe.v1.billing.meters.reactivate(place.notes.words["tokens"])


def _walk_deaf_to(place: Place, path: str) -> None:
    place.fault("error_before", path=path, times=1)
    place.walk()
