"""What of alarms runs beside `reconcile`: asking what is wrong, and, where there is a receiver, telling it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from service.alarm_calls import Receiver
from service.alarms import KINDS, Kind
from service.ratecard.chosen import terms_by
from service.unbilled import Unbilled
from workers._posting import Poster
from workers._setup import StripeSetup
from workers._watching import Watcher

Steps = dict[str, Callable[[], int]]


def alarm_steps(setup: StripeSetup) -> Steps:
    """By their names in the log."""
    ledger, account, timing = setup.ledger, setup.settings.account, setup.timing
    is_posting = bool(setup.settings.alarm_url)
    watcher = Watcher(
        ledger,
        setup.gateway,
        account,
        timing=timing,
        kinds=kinds_for(setup.settings.unbilled),
        card=terms_by(setup.settings),
        is_posting=is_posting,
    )
    steps: Steps = {"watch": watcher.ask_due, "prices": watcher.read_prices_due}
    if is_posting:
        steps["post"] = Poster(ledger, Receiver(setup.settings), account, timing=timing).post_due
    return steps


def kinds_for(unbilled: Unbilled) -> Sequence[Kind]:
    """Where unbilled usage is sent in silence, its alarms of before clear, and only what cannot be sent is told."""
    is_silent = unbilled is Unbilled.SEND
    return [
        replace(kind, question="alarming_unsendable") if is_silent and kind.name == "unbilled" else kind
        for kind in KINDS
    ]
