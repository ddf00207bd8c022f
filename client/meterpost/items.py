"""Queues of items in Redis from which nothing is lost: the five moves, each one command or one script.

An item stands in exactly one of three places, whatever is killed in between: in the queue, among the unacked (with
the moment of its claim), or, when no consumer can read it, in the queue of garbled items.
"""

from __future__ import annotations

import itertools
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import redis

from meterpost.envelope import REDELIVERED_MARK, unmark

RESTORE_ITEMS_MAX: Final = 1_000  # moved by one script, which stops the server meanwhile

logger = logging.getLogger("meterpost.items")
_LUA: Final = {
    name: (files("meterpost") / f"{name}.lua").read_text(encoding="utf-8")
    for name in ("keep_apart", "claim", "restore", "set_aside")
}
_SCRIPTS: Final = {name: f"{_LUA['keep_apart']}\n{_LUA[name]}" for name in ("claim", "restore", "set_aside")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """What stands in a queue; the claimed of both kinds are `unacked`, and `oldest_item` is claimed next."""

    waiting: int
    unacked: int
    garbled: int
    oldest_item: bytes | None


class PushRefused(Exception):
    """Redis answered a push, but not with the length of a queue that holds it."""


def garbled_queue(queue: str) -> str:
    """Where items go that no consumer can read. A queue like others: they are claimed and acknowledged."""
    return f"{queue}.garbled"


def is_garbled_queue(queue: str) -> bool:
    return queue.endswith(garbled_queue(""))


class ItemQueues:
    """The queues of one Redis database under one prefix of keys."""

    def __init__(self, client: redis.Redis, *, prefix: str = "") -> None:
        self._redis = client
        self._prefix = prefix
        self._claimer = secrets.token_hex(8)
        self._claims = itertools.count()
        self._scripts = {name: client.register_script(script) for name, script in _SCRIPTS.items()}

    def push(self, queue: str, items: Sequence[str]) -> None:
        """All of them by one command, so all or none; the first is claimed first."""
        length = self._redis.lpush(self._key(queue), *items)
        if not isinstance(length, int) or length < len(items):
            raise PushRefused(f"Redis answered {length!r} to a push of {len(items)} items to {queue}")

    def claim(self, queue: str, *, items_max: int) -> list[tuple[str, bytes]]:
        """Tags, unique for ever, and items in order."""
        claim = f"{self._claimer}:{next(self._claims)}:"
        found: list[bytes] = self._scripts["claim"](keys=self._keys(queue), args=[items_max, claim])
        return [(tag.decode(), item) for tag, item in zip(found[::2], found[1::2], strict=True)]

    def forget(self, queue: str, tags: Sequence[str]) -> None:
        """Acknowledge: what was claimed is recorded elsewhere. Tags that are gone are no error."""
        _, unacked, index = self._keys(queue)
        with self._redis.pipeline() as pipe:
            pipe.hdel(unacked, *tags)
            pipe.zrem(index, *tags)
            pipe.execute()

    def give_back(self, queue: str, tags: Sequence[str]) -> None:
        """Put these claimed items back at once, in their order."""
        assert tags, "without tags the script would restore what expired"
        self._restore(queue, visibility_timeout_s=0, tags=tags)

    def restore_expired(self, queue: str, *, visibility_timeout_s: float) -> None:
        """Put back, oldest first, what was claimed longer ago than the visibility timeout."""
        self._restore(queue, visibility_timeout_s=visibility_timeout_s, tags=[])

    def set_aside(self, queue: str, claimed: Sequence[tuple[str, bytes]]) -> None:
        """Move claimed items, by their tags, to the garbled ones: no consumer can read them."""
        _, unacked, index = self._keys(queue)
        args = [argument for tag, item in claimed for argument in (tag, unmark(item))]
        self._scripts["set_aside"](keys=[unacked, index, self._key(garbled_queue(queue))], args=args)
        sizes = [len(item) for _, item in claimed]
        logger.warning("items.garbled queue=%s items=%d bytes=%d", queue, len(sizes), sum(sizes))

    def depth(self, queue: str) -> Depth:
        waiting, unacked, _ = self._keys(queue)
        garbled, garbled_unacked, _ = self._keys(garbled_queue(queue))
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.llen(waiting)
            pipe.hlen(unacked)
            pipe.llen(garbled)
            pipe.hlen(garbled_unacked)
            pipe.lindex(waiting, -1)
            counted = pipe.execute()
        oldest = None if counted[4] is None else unmark(counted[4])
        return Depth(waiting=counted[0], unacked=counted[1] + counted[3], garbled=counted[2], oldest_item=oldest)

    def _restore(self, queue: str, *, visibility_timeout_s: float, tags: Sequence[str]) -> None:
        args: list[bytes | str | float] = [REDELIVERED_MARK, visibility_timeout_s, RESTORE_ITEMS_MAX, *tags]
        restored = self._scripts["restore"](keys=self._keys(queue), args=args)
        if restored:
            logger.warning("items.restored queue=%s items=%d", queue, restored)

    def _keys(self, queue: str) -> list[str]:
        key = self._key(queue)
        return [key, f"{key}.unacked", f"{key}.unacked_index"]

    def _key(self, queue: str) -> str:
        return f"{self._prefix}{queue}"
