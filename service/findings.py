"""A finding of the doctor: one line, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    FINE = "fine"
    WARNING = "warning"  # works, but not as it should for good
    FAILURE = "failure"  # rows can be lost, doubled or left lying


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`name` is the check's, stable for scripts; `remedy` is empty only where all is fine."""

    name: str
    severity: Severity
    text: str
    remedy: str = ""


def fine(name: str, text: str) -> Finding:
    return Finding(name=name, severity=Severity.FINE, text=text)


def warn(name: str, text: str, remedy: str) -> Finding:
    return Finding(name=name, severity=Severity.WARNING, text=text, remedy=remedy)


def fail(name: str, text: str, remedy: str) -> Finding:
    return Finding(name=name, severity=Severity.FAILURE, text=text, remedy=remedy)
