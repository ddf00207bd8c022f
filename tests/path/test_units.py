"""What a value counts: a row of another unit than the rate card's is a person's, and a unit is part of what it said."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service.corrections import Correction
from service.ledger.actions import Order
from service.ledger.answers import Acted, Declined, Ordered
from service.ledger.remedies import retry
from service.letters import read_letter_id
from workers.record import Recorder

NOW = datetime.now(UTC)
UNITS = {"call_seconds": "second"}
COUNTS = "SELECT recorded, duplicates, conflicts, quarantined FROM intake ORDER BY intake_id"
COMMAND = [sys.executable, "-m", "workers.record"]
CARD = 'currency = "usd"\n[[metrics]]\nmetric = "call_seconds"\nunit = "second"\nprice = 1\n'


@pytest.fixture
def recorder(path: Any) -> Recorder:
    return Recorder(path.ledger, path.queue, timing=path.settings.timing, units=UNITS)


def test_a_row_of_another_unit_than_the_cards_is_quarantined(path: Any, recorder: Recorder):
    for unit in ("minute", "second", None):
        path.client.usage("cus_1", "call_seconds", 3, unit=unit, row_id=f"row-{unit}")
    path.client.usage("cus_1", "others", 3, unit="minute")
    recorder.record_some()
    reason = "is minute, the rate card says second for call_seconds: tell the value in second, or correct the card"
    assert path.ask(COUNTS) == [(3, 0, 0, 1)]
    assert path.ask("SELECT field, reason, row_id FROM quarantine") == [("unit", reason, "row-minute")]


def test_without_a_card_no_unit_is_checked(path: Any):
    path.client.usage("cus_1", "call_seconds", 3, unit="fortnight")
    path.record()
    assert path.ask(COUNTS) == [(1, 0, 0, 0)]


@pytest.mark.parametrize(
    ("again", "counts"), [("second", (0, 1, 0, 0)), ("minute", (0, 0, 1, 0)), (None, (0, 0, 1, 0))]
)
def test_one_row_id_with_two_units_is_a_conflict(path: Any, again: str | None, counts: tuple[int, ...]):
    for unit in ("second", again):
        path.client.usage("cus_1", "call_seconds", 3, unit=unit, row_id="row-1", occurred_at=NOW)
        path.record()
    assert path.ask(COUNTS) == [(1, 0, 0, 0), counts]


def retried(path: Any, **changes: str) -> Any:
    order = Order(actor="a person", reason="told in minutes")
    with path.ledger.transaction() as tx:
        ordered = Ordered(tx=tx, letter=read_letter_id("q-1"), order=order)
        return retry(ordered, correction=Correction(set_to=changes), timing=path.settings.timing, units=UNITS)


def test_a_quarantined_row_is_read_again_by_the_card(path: Any, recorder: Recorder):
    path.client.usage("cus_1", "call_seconds", 3, unit="minute")
    recorder.record_some()
    still, after = retried(path), retried(path, unit="second", value="180")
    assert (type(still), type(after)) == (Declined, Acted)
    assert path.ask("SELECT value::text FROM entry") == ["180"]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (CARD, ("worker.started", "")),
        (CARD + "prise = 1", ("worker.refused", "METERPOST_RATE_CARD: metrics[0].prise: is not a key of a met")),
    ],
)
def test_record_starts_with_a_card_or_says_what_is_wrong_with_it(
    path: Any, tmp_path: Path, written: str, told: tuple[str, str]
):
    card = tmp_path / "card.toml"
    card.write_text(written)
    env = os.environ | {"METERPOST_RATE_CARD": str(card), "METERPOST_LOG_FORMAT": "json"}
    with subprocess.Popen(COMMAND, env=env, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        first = json.loads(child.stdout.readline())
        child.terminate()
    assert (first["event"], first.get("reason", "")[:60]) == told
