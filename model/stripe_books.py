"""Stripe's books, as small as the promise needs them: an oracle that shares no line with pipeline or sandbox."""

from service.outcomes import Answer, Reach

FORGETS_S = 24 * 3_600
ANSWERS = {
    "limited": Answer(reach=Reach.ANSWERED, status=429, code="rate_limit", limited_reason="endpoint-rate"),
    "unauthorized": Answer(reach=Reach.ANSWERED, status=401, message="Invalid API Key provided"),
    "unreachable": Answer(reach=Reach.NOT_SENT),
    "conflict": Answer(reach=Reach.ANSWERED, status=409, code="too_many_concurrent_requests"),
}
"""What is answered before the books are asked."""


class StripeBooks:
    """What was counted of one meter event, whatever anyone was told about it."""

    def __init__(self) -> None:
        self.counted: list[float] = []
        """When each copy was counted; more than one is what must never be."""
        self._identifiers: dict[str, float] = {}
        self._kept: dict[str, tuple[float, Answer]] = {}

    def take(self, identifier: str, *, key: str, at: float, fate: str, is_refusing: bool) -> Answer:
        """One call that arrived: replayed, refused, known already or counted."""
        since, kept = self._kept.get(key, (at - FORGETS_S, None))
        if kept is not None and at - since < FORGETS_S:
            return Answer(reach=kept.reach, status=kept.status, message=kept.message, is_replayed=True)
        if fate == "error_kept":
            return self._keep(key, at, Answer(reach=Reach.ANSWERED, status=500, message="An unknown error occurred."))
        if is_refusing:
            return Answer(reach=Reach.ANSWERED, status=400, message="No such customer: 'cus_1'")
        answer = self._keep(key, at, self._count(identifier, at))
        if fate == "error_after":
            return self._keep(key, at, Answer(reach=Reach.ANSWERED, status=500, message="An unknown error occurred."))
        if fate == "gateway":
            del self._kept[key]
            return Answer(reach=Reach.ANSWERED, status=502)
        return answer

    def shown(self, at: float, *, lag_s: float) -> int:
        """How many copies a summary shows that is that far behind."""
        return sum(1 for instant in self.counted if instant <= at - lag_s)

    def _count(self, identifier: str, at: float) -> Answer:
        since = self._identifiers.get(identifier)
        if since is not None and at - since < FORGETS_S:
            message = f"An event already exists with identifier {identifier}."
            return Answer(reach=Reach.ANSWERED, status=400, message=message)
        self._identifiers[identifier] = at
        self.counted.append(at)
        return Answer(reach=Reach.ANSWERED, status=200)

    def _keep(self, key: str, at: float, answer: Answer) -> Answer:
        self._kept[key] = (at, answer)
        return answer
