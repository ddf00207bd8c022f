"""One run: things happen at Stripe while their events come, tripled, in no order and not all, to processes that die."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from chaos.events.compared import Compared, compared
from chaos.events.place import SECRET, Place, place
from chaos.events.post import COPIES, DROPPED, Post
from chaos.events.shop import Shop
from service.event_types import SNAPSHOT_TYPES

HAPPENINGS_A_ROUND = 60
ROUNDS_A_LINE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one run; `deliveries` were answered 200, `attempts` include those that met no door."""

    seed: int
    seconds: int
    deliveries: int
    attempts: int
    dropped: int
    kills: dict[str, int]
    deaths: int
    found: Compared
    is_caught_up: bool
    is_drained: bool

    def wrongs(self) -> list[str]:
        claims = {
            "what was dropped was not caught up": self.is_caught_up,
            "events still wait to be applied": self.is_drained,
            "nothing was dropped": self.dropped > 0,
            "nothing happened twice in one second": self.found.same_second > 0,
        }
        return [*(wrong for wrong, holds in claims.items() if not holds), *self.found.wrongs]


@dataclass(kw_only=True)
class Kills:
    """So many, at even distances in what is delivered."""

    here: Place
    chance: Random
    every: int
    left: int
    passed: int = 0

    def look(self) -> None:
        self.passed += 1
        if self.left and self.passed % self.every == 0:
            self.left -= 1
            self.here.kill_one(self.chance)


@dataclass(kw_only=True)
class News:
    """Stripe's own list of all events, read as they happen."""

    v1: Any
    told: list[dict[str, Any]] = field(default_factory=list)
    ours: int = 0  # of the types that change something here

    def read(self) -> list[dict[str, Any]]:
        """What happened since, the oldest first."""
        after = {"ending_before": self.told[-1]["id"]} if self.told else {}
        listed = [
            event.to_dict(for_json=True) for event in self.v1.events.list({"limit": 100} | after).auto_paging_iter()
        ]
        new = listed if self.told else listed[::-1]
        self.told += new
        self.ours += sum(event["type"] in SNAPSHOT_TYPES for event in new)
        return new


def run(seed: int, *, events: int, kills: int, log_dir: Path, tell: Callable[[str], None]) -> Figures:
    chance, begun = Random(seed), time.monotonic()
    with place(log_dir) as here:
        every = max(1, int(events * (1 - DROPPED) * COPIES) // max(1, kills))
        deaths = Kills(here=here, chance=Random(seed + 1), every=every, left=kills)
        post = Post(port=here.port, secret=SECRET, chance=Random(seed + 2), after_each=deaths.look)
        news = _play(here, post, chance=chance, events=events, tell=tell)
        tell(f"{news.ours:,} events happened; what was dropped is caught up")
        is_caught_up = here.catch_up(news.ours)
        is_drained = here.wait_until_applied()
        tell("the mirrors are compared with Stripe")
        found = compared(here, post, news.told)
        return Figures(
            seed=seed,
            seconds=round(time.monotonic() - begun),
            deliveries=post.delivered.total(),
            attempts=post.attempts.total(),
            dropped=len(post.dropped),
            kills=here.kills,
            deaths=here.workers.rebirths + here.web.restarts,
            found=found,
            is_caught_up=is_caught_up,
            is_drained=is_drained,
        )


def _play(here: Place, post: Post, *, chance: Random, events: int, tell: Callable[[str], None]) -> News:
    """Things happen, and their events are delivered meanwhile, but for a heap that is always left for later."""
    shop = Shop(
        v1=here.v1, chance=chance, sandbox_url=here.env["STRIPE_API_BASE"], database_url=here.env["DATABASE_URL"]
    )
    shop.open(events=events)
    news, rounds = News(v1=here.v1), 0
    try:
        while news.ours < events:
            for _ in range(HAPPENINGS_A_ROUND):
                shop.happen()
            for event in news.read():
                post.take(event)
            rounds += 1
            if rounds % ROUNDS_A_LINE == 0:
                tell(f"{news.ours:,} events happened, {post.delivered.total():,} deliveries, kills {here.kills}")
    finally:
        post.finish()
    return news
