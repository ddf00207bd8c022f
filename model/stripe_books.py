"""Stripe's books, as small as the promise needs them: an oracle that shares no line with pipeline or sandbox."""

from functools import cache

from service.outcomes import Answer, Reach

FORGETS_S = 24 * 3_600
ANSWERS = {
    "limited": Answer(reach=Reach.ANSWERED, status=429, code="rate_limit", limited_reason="endpoint-rate"),
    "unauthorized": Answer(reach=Reach.ANSWERED, status=401, message="Invalid API Key provided"),
    "unreachable": Answer(reach=Reach.NOT_SENT),
    "conflict": Answer(reach=Reach.ANSWERED, status=409, code="too_many_concurrent_requests"),
    "lock_timeout": Answer(reach=Reach.ANSWERED, status=429, code="lock_timeout"),
}
"""What is answered before the books are asked."""
OK = Answer(reach=Reach.ANSWERED, status=200)
ERROR = Answer(reach=Reach.ANSWERED, status=500, message="An unknown error occurred.")
GATEWAY = Answer(reach=Reach.ANSWERED, status=502)
REFUSAL = Answer(reach=Reach.ANSWERED, status=400, message="No such customer: 'cus_1'")
SEVERAL_KEYS = "asked under another key, though nothing was replayed under the last"


class StripeBooks:
    """What was counted of one meter event, whatever anyone was told about it."""

    def __init__(self) -> None:
        self.counted: list[int] = []
        """When each copy was counted; more than one is what must never be."""
        self.wrong: str | None = None
        self.identifiers: dict[str, int] = {}
        """When a copy was last counted under each."""
        self.rejections: list[str] = []
        """The identifiers under which a copy was taken with a 200 and rejected, of which Stripe has not told yet."""
        self._rejected: dict[str, int] = {}
        self._kept: dict[str, tuple[int, Answer]] = {}
        self._keys: dict[str, set[str]] = {}
        self._errors_replayed: dict[str, int] = {}
        self._busy_until = 0

    def begin_call(self, at: int, *, lasts_s: int) -> None:
        """A call leaves; Stripe allows one at a time on a customer and meter."""
        if at < self._busy_until:
            self.wrong = "two calls at once"
        self._busy_until = at + lasts_s

    def end_call(self, at: int) -> None:
        """Its caller has its answer, or gave it up."""
        self._busy_until = min(self._busy_until, at)

    def take(
        self, identifier: str, *, key: str, at: int, fate: str, is_refusing: bool, is_rejecting: bool = False
    ) -> Answer:
        """One call that arrived: replayed, refused, known already, counted, or taken and rejected."""
        self._note_key(identifier, key)
        since, kept = self._kept.get(key, (0, None))
        if kept is not None and at - since < FORGETS_S:
            if kept is ERROR:
                self._errors_replayed[identifier] = self._errors_replayed.get(identifier, 0) + 1
            return _replayed(kept)
        if fate == "error_kept":
            return self._keep(key, at, ERROR)
        if is_refusing:
            return REFUSAL
        answer = self._keep(key, at, self._count(identifier, at, is_rejecting=is_rejecting))
        if fate == "error_after":
            return self._keep(key, at, ERROR)
        if fate == "gateway":
            del self._kept[key]
            return GATEWAY
        return answer

    def shown(self, until: int) -> int:
        """How many copies a summary shows that reaches so far."""
        return sum(1 for instant in self.counted if instant <= until)

    def free(self, identifier: str) -> None:
        """Of what it rejects, Stripe may give the identifier free: that is not documented."""
        self._rejected.pop(identifier, None)

    def _count(self, identifier: str, at: int, *, is_rejecting: bool) -> Answer:
        since = self.identifiers.get(identifier, self._rejected.get(identifier))
        if since is not None and at - since < FORGETS_S:
            return _duplicate(identifier)
        if is_rejecting:
            self._rejected[identifier] = at
            self.rejections.append(identifier)
            return OK
        self.identifiers[identifier] = at
        self.counted.append(at)
        if len(self.counted) > 1:
            self.wrong = "counted twice"
        return OK

    def _keep(self, key: str, at: int, answer: Answer) -> Answer:
        self._kept[key] = (at, answer)
        return answer

    def _note_key(self, identifier: str, key: str) -> None:
        """Key and identifier protect each other; a key is given up only where it would replay an error for a day."""
        keys = self._keys.setdefault(identifier, set())
        keys.add(key)
        if len(keys) > 1 + self._errors_replayed.get(identifier, 0):
            self.wrong = self.wrong or SEVERAL_KEYS


@cache
def _duplicate(identifier: str) -> Answer:
    return Answer(reach=Reach.ANSWERED, status=400, message=f"An event already exists with identifier {identifier}.")


@cache
def _replayed(answer: Answer) -> Answer:
    return Answer(reach=answer.reach, status=answer.status, message=answer.message, is_replayed=True)
