"""What of alarms runs beside `reconcile`: asking what is wrong, and, where there is a receiver, telling it."""

from collections.abc import Callable

from service.alarm_calls import Receiver
from service.alarms import KINDS
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
    is_silent = setup.settings.unbilled is Unbilled.SEND
    kinds = [kind for kind in KINDS if not (is_silent and kind.name == "unbilled")]
    watcher = Watcher(
        ledger,
        setup.gateway,
        account,
        timing=timing,
        kinds=kinds,
        card=terms_by(setup.settings),
        is_posting=is_posting,
    )
    steps: Steps = {"watch": watcher.watch_due}
    if is_posting:
        steps["post"] = Poster(ledger, Receiver(setup.settings), account, timing=timing).post_due
    return steps
