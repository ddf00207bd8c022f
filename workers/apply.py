"""Step 7: event → effect.

An event's object is mirrored into the ledger, and the event is marked in the same transaction. Words come late, twice
and in any order: the newest holds, an older one changes nothing, and where two words of one second, or an unreadable
one, do not decide, the object is read from Stripe first, outside of any transaction. A crash before the commit leaves
the events to come back when their claim has run out; a claim held twice is closed once.
"""

import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Generic, Protocol, TypeVar

import psycopg
from redis.exceptions import RedisError

from service.gateway import StripeRefused, StripeUnavailable
from service.ledger import Ledger, Transaction, events, mirrors
from service.ledger.events import FAILURES_MAX, DueEvent, PutOff
from service.limiter import Throttled
from service.logs import say
from service.mirrors import InvoiceMirror, Json, SubscriptionMirror, Unreadable, inner, invoice_mirror, subscription_mirror
from service.timing import Timing
from service.wakeups import WakeUps, WakeUpWorker
from workers._setup import set_up

EVENTS_A_CLAIM_MAX = 200  # of 3 KB each; one transaction closes them
DOUBLINGS_MAX = 16  # 2 ** 16 s is beyond every backoff_max
REASON_CHARS_MAX = 500
DELETED = "invoice.deleted"
AWAY = (StripeUnavailable, Throttled, RedisError)  # Stripe, or the limiter before it

Mirror = TypeVar("Mirror", SubscriptionMirror, InvoiceMirror)


class ReadsStripe(Protocol):
    """What an effect may ask of Stripe."""

    def retrieve_subscription(self, subscription: str) -> dict[str, Json]: ...
    def retrieve_invoice(self, invoice: str) -> dict[str, Json]: ...


class Parse(Protocol[Mirror]):
    def __call__(self, told: Json, *, as_of: datetime, read_at: datetime | None = None) -> Mirror | Unreadable: ...
