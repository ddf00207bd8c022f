"""What the demo reports: many rows of one customer, and Stripe's three-row file with its dates moved to this month."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROWS_MAX = 12_000
DAYS = 20
HOURS = 24 * DAYS
EPOCH_DIGITS = 10  # of a timestamp in seconds
FILE_COLUMNS = ("timestamp", "event_name", "payload_stripe_customer_id", "payload_value")


def unit_rows(units: int, *, customer: str, meter: str, now: datetime) -> Iterator[dict[str, object]]:
    """`units` as up to 12,000 rows over the last twenty days, a stretch of five minutes in each hour."""
    count = min(units, ROWS_MAX)
    first_hour = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS)
    for number in range(count):
        hour = first_hour + timedelta(hours=number % HOURS)
        yield {
            "customer": customer,
            "meter": meter,
            "value": units // count + (number < units % count),
            "occurred_at": hour + timedelta(seconds=number * 7 % 300),
            "row_id": f"demo-{number:05}",
            "source": "demo",
        }


def move_file(template: Path, target: Path, *, customer: str, now: datetime) -> tuple[int, int]:
    """Write `template` with its last row on the day before and our customer. Returns its units and its rows."""
    with template.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    by = now.replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1) - max(map(_instant, rows))
    with target.open("w", newline="") as lines:
        writer = csv.DictWriter(lines, FILE_COLUMNS)
        writer.writeheader()
        for row in rows:
            moved = _like(row["timestamp"], _instant(row) + timedelta(days=by.days))
            writer.writerow(row | {"timestamp": moved, "payload_stripe_customer_id": customer})
    return sum(int(row["payload_value"]) for row in rows), len(rows)


def _instant(row: dict[str, str]) -> datetime:
    text = row["timestamp"]
    if text.isdigit() and len(text) >= EPOCH_DIGITS:
        return datetime.fromtimestamp(int(text), UTC)
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _like(text: str, instant: datetime) -> str:
    """`instant` in the format that `text` has: each of the file's three is one that Stripe takes."""
    if text.isdigit():
        return str(int(instant.timestamp()))
    return f"{instant:%Y-%m-%dT%H:%M:%S%z}" if "T" in text else f"{instant:%Y-%m-%d}"
