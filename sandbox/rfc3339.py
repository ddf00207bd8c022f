"""Instants as v2 writes them: `2026-11-20T00:00:05.000Z`, where v1 has Unix seconds."""

from datetime import UTC, datetime


def text_of(instant: float) -> str:
    """With milliseconds, in UTC."""
    stamp = datetime.fromtimestamp(instant, UTC).isoformat(timespec="milliseconds")
    return stamp.replace("+00:00", "Z")


def instant_of(text: str) -> float:
    """Unix seconds; ValueError for what is no instant, or one without an offset."""
    stamp = datetime.fromisoformat(text)
    if stamp.tzinfo is None or "T" not in text:
        raise ValueError(f"not an RFC 3339 instant: {text}")
    return stamp.timestamp()
