"""What is posted of an alarm: a body, signed as Stripe signs webhooks. Pure.

`Meterpost-Signature: t=…,v1=…`, the HMAC-SHA256 with the shared secret over the time, a full stop and the body. The
time is the call's, so that what is heard on the way cannot be told again later; id and body are the same at every call.
The shape is documented in docs/alarms.md.
"""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from enum import StrEnum
from uuid import uuid4

from service.alarms import KINDS
from service.currencies import money
from service.ledger.alarms import Alarm, name_of

SIGNATURE = "Meterpost-Signature"
REMEDIES = {kind.name: kind.remedy for kind in KINDS}


class What(StrEnum):
    """What became of an alarm."""

    RAISED = "raised"
    CHANGED = "changed"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    CLEARED = "cleared"
    TEST = "test"


def new_post_id() -> str:
    return f"ap_{uuid4().hex}"


def body_of(alarm: Alarm, *, what: What, post_id: str, at: datetime) -> str:
    """`at`: on the ledger's clock."""
    told = {"id": post_id, "type": f"alarm.{what}", "created": _instant(at), "alarm": told_of(alarm)}
    return json.dumps(told, ensure_ascii=False)


def test_body() -> str:
    """What nothing is wrong with."""
    told = {"id": new_post_id(), "type": f"alarm.{What.TEST}", "created": _instant(datetime.now(UTC)), "alarm": None}
    return json.dumps(told)


def told_of(alarm: Alarm) -> dict[str, object]:
    """An alarm in JSON; whole numbers are numbers, amounts that may have decimal places are text."""
    return {
        "id": name_of(alarm.alarm_id),
        "kind": alarm.kind,
        "subject": alarm.subject,
        "state": alarm.state,
        "is_urgent": alarm.is_urgent,
        "said": alarm.said,
        "remedy": REMEDIES.get(alarm.kind),
        "customer": alarm.customer,
        "meter": alarm.meter,
        "rows": alarm.rows,
        "units": f"{alarm.units.normalize():f}",
        "money": _money(alarm),
        "invoice": alarm.invoice,
        "since": _instant(alarm.since),
        "until": _instant(alarm.until),
        "deadline": _instant(alarm.deadline),
        "raised_at": _instant(alarm.raised_at),
        "renewed_at": _instant(alarm.renewed_at),
        "acknowledged_at": _instant(alarm.acknowledged_at),
        "acknowledged_by": alarm.acknowledged_by,
        "cleared_at": _instant(alarm.cleared_at),
    }


def figures_of(alarm: Alarm) -> dict[str, object]:
    """For a line of the log."""
    told = {
        "alarm": name_of(alarm.alarm_id),
        "kind": alarm.kind,
        "subject": alarm.subject,
        "is_urgent": alarm.is_urgent,
        "customer": alarm.customer,
        "meter": alarm.meter,
        "rows": alarm.rows,
        "units": alarm.units,
        "amount": alarm.amount_rounded,
        "currency": alarm.currency,
        "deadline": alarm.deadline,
        "said": alarm.said,
    }
    return {name: value for name, value in told.items() if value is not None}


def signature_of(body: bytes, *, secret: str, at: datetime) -> str:
    """The value of the header; `at`: by the clock that the receiver has too."""
    t = str(int(at.timestamp()))
    signed = hmac.new(secret.encode(), t.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={t},v1={signed}"


def _money(alarm: Alarm) -> dict[str, object] | None:
    if alarm.amount is None or alarm.amount_rounded is None or alarm.currency is None:
        return None
    return {
        "amount": alarm.amount_rounded,
        "currency": alarm.currency,
        "exact": f"{alarm.amount.normalize():f}",
        "shown": money(alarm.amount_rounded, alarm.currency),
        "rated_by": alarm.rated_by,
    }


def _instant(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")
