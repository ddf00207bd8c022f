"""Step 6, telling of alarms: what is to be posted → its receiver.

What is posted was written with what it tells. It is claimed, called and closed, each apart, so that no transaction is
open during the call; a crash in between posts it again, under the same id. A receiver that is away, slow or refuses
stops nothing: this runs beside the other steps, one call at a time, and is given up after days.
"""

import random
from datetime import timedelta

from service.alarm_calls import Receiver, Told
from service.alarm_posts import What
from service.crash_points import crash_point
from service.decide import DOUBLINGS_MAX
from service.ledger import Ledger, alarm_posts
from service.ledger.alarm_posts import DuePost
from service.ledger.alarms import name_of
from service.logs import say
from service.timing import Timing

POSTS_A_PASS_MAX = 100
CLAIM_SPARE_S = 5  # beside the call itself: for the two transactions around it


class Poster:
    """Posts what is due, the oldest first."""

    def __init__(
        self, ledger: Ledger, receiver: Receiver, account: str, *, timing: Timing, chance: random.Random | None = None
    ) -> None:
        self._ledger = ledger
        self._receiver = receiver
        self._account = account
        self._timing = timing
        self._chance = chance or random.Random()  # noqa: S311  # spreads calls; no secret

    def post_due(self) -> int:
        """Until nothing is due, or the receiver does not take it; the next pass goes on. Returns how many it took."""
        for taken in range(POSTS_A_PASS_MAX):
            with self._ledger.transaction() as tx:
                claim = timedelta(seconds=self._timing.post_deadline_s + CLAIM_SPARE_S)
                post = alarm_posts.claim_alarm_post(tx, self._account, claim=claim)
                crash_point("post.before_claim_commit")
            crash_point("post.after_claim_commit")
            if post is None or not self._post(post):
                return taken
        return POSTS_A_PASS_MAX

    def _post(self, post: DuePost) -> bool:
        told = self._receiver.post(post.body)
        crash_point("post.after_call")
        if not told.is_taken:
            self._put_off(post, told)
            return False
        assert told.status is not None, "what was taken was answered"
        with self._ledger.transaction() as tx:
            alarm_posts.close_as_taken(tx, post.post_id, status=told.status)
            crash_point("post.before_close_commit")
        crash_point("post.after_close_commit")
        say("alarm_post.taken", **_where(post), status=told.status)
        return True

    def _put_off(self, post: DuePost, told: Told) -> None:
        wait = self._wait(post)
        with self._ledger.transaction() as tx:
            alarm_posts.close_as_refused(tx, post.post_id, status=told.status, reason=told.reason, wait=wait)
        event = "alarm_post.given_up" if wait is None else "alarm_post.refused"
        wait_s = None if wait is None else wait.total_seconds()
        say(event, **_where(post), receiver=self._receiver.host, reason=told.reason, wait_s=wait_s)

    def _wait(self, post: DuePost) -> timedelta | None:
        """Twice as long each time, and not all at the same instant. None: it was tried for long enough."""
        if post.now - post.made_at >= timedelta(seconds=self._timing.post_for_s):
            return None
        longest = min(self._timing.post_wait_max_s, self._timing.post_wait_s * 2 ** min(post.calls - 1, DOUBLINGS_MAX))
        return timedelta(seconds=longest) * (1 + self._chance.random()) / 2


def _where(post: DuePost) -> dict[str, object]:
    return {"post_id": post.post_id, "alarm": name_of(post.alarm_id), "what": What(post.what), "calls": post.calls}
