"""What an object was before it changed: `data.previous_attributes` of `*.updated` events.

Compared with the object as it was last told of, so that whoever changes one need not say what it was before.
"""

from dataclasses import dataclass

from sandbox.books import Books
from sandbox.wire import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An object as an event last showed it."""

    subject: JsonObject


def previous_attributes(books: Books, kind: str, subject: JsonObject) -> JsonObject | None:
    """None but for an update; remembers the object for the next one."""
    name = f"{subject.get('object')}/{subject.get('id')}"
    before = books.shelf(Told).get(name)
    if kind.endswith(".deleted"):
        books.shelf(Told).pop(name, None)
    else:
        books.shelf(Told)[name] = Told(subject=subject)
    return _differing(before.subject if before else subject, subject) if kind.endswith(".updated") else None


def _differing(before: JsonObject, after: JsonObject) -> JsonObject:
    """The old values of what differs; of groups only their members that do. What is new was null."""
    differing: JsonObject = {}
    for name in before | after:
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            if inner := _differing(old, new):
                differing[name] = inner
        elif old != new:
            differing[name] = old
    return differing
