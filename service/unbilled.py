"""What becomes of usage at a time that no subscription of its customer bills, while it still can be billed."""

from datetime import timedelta
from enum import StrEnum

from service.timing import SENDABLE_AGE_MAX_S

LET_GO_AGE = timedelta(
    seconds=SENDABLE_AGE_MAX_S - 86_400
)  # a day in which it is sealed and sent while Stripe takes it


class Unbilled(StrEnum):
    """METERPOST_UNBILLED. Once a subscription covers the time, Stripe bills what it has, whatever this says."""

    WARN = "warn"  # sent, and an alarm
    HOLD = "hold"  # kept unsealed until a subscription covers it, or it is about to grow too old; and an alarm
    SEND = "send"  # sent in silence; an alarm only of what no meter of Stripe's takes
