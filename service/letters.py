"""The ids of the desk: each says what kind of thing needs a person, and which one.

`me-123` is a meter event, `q-5` a row in quarantine, `rc-7` a row told again with other content, `ev-evt_1Abc` an event
of Stripe's, `ex-3` what Stripe counts and a restored ledger does not know, `su-9` a subscription to be made. There is
one parser, for the command line and whatever else names a dead letter.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    METER_EVENT = "me"
    QUARANTINED = "q"
    CONFLICTING = "rc"
    EVENT = "ev"
    EXTERNAL = "ex"
    SIGNUP = "su"


NUMBER = re.compile(r"[1-9][0-9]{0,17}")  # what a bigint of PostgreSQL holds
EVENT_ID = re.compile(r"[A-Za-z0-9_]{1,255}")
KEYS = {kind: EVENT_ID if kind is Kind.EVENT else NUMBER for kind in Kind}


class NoLetter(ValueError):
    """The text is no dead letter's id; it says what one looks like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterId:
    kind: Kind
    key: str

    def __str__(self) -> str:
        return f"{self.kind}-{self.key}"

    @property
    def number(self) -> int:
        assert self.kind is not Kind.EVENT, "events are known by Stripe's own ids"
        return int(self.key)


def read_letter_id(text: str) -> LetterId:
    """Raises NoLetter."""
    kind, _, key = text.partition("-")
    if kind not in {*Kind} or not KEYS[Kind(kind)].fullmatch(key):
        raise NoLetter(
            f"{text[:60]!r} is no dead letter's id; one is me-123 (a meter event), q-5 (a row in quarantine),"
            " rc-7 (a row told otherwise), ev-evt_1Abc (an event), ex-3 (external) or su-9 (a subscription); see"
            " meterpost dead list"
        )
    return LetterId(kind=Kind(kind), key=key)
