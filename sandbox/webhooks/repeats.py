"""When a failed delivery is repeated: a decision by mode, settings and the attempts so far.

Live, Stripe repeats for three days with growing pauses; in a sandbox three times over a few hours. Stripe does not
publish the pauses, so they begin with a second (`webhook_backoff_s`) and grow from there: whoever watches a receiver
come back at real speed sees the first repeat at once, and the last one still comes when Stripe's would.
"""

from sandbox.books import Books

LIVE_WINDOW_S = 3 * 86_400
"""Nothing is repeated later than this after the first attempt."""
LIVE_GROWTH = 2
TEST_GROWTH = 100
"""1 s, 100 s and 10,000 s: three repeats over nearly three hours."""
TEST_REPEATS_MAX = 3


def next_pause_s(books: Books, *, attempts: int, since_first_s: float) -> float | None:
    """Seconds of the sandbox's clock until the next attempt, after so many failed; None where there is none."""
    if attempts >= books.settings.webhook_attempts_max:
        return None
    backoff_s = books.settings.webhook_backoff_s
    if _repeats_as_live(books):
        pause_s: float = backoff_s * LIVE_GROWTH ** (attempts - 1)
        return pause_s if since_first_s + pause_s <= LIVE_WINDOW_S else None
    return backoff_s * TEST_GROWTH ** (attempts - 1) if attempts <= TEST_REPEATS_MAX else None


def _repeats_as_live(books: Books) -> bool:
    schedule = books.settings.webhook_schedule
    return books.livemode if schedule == "by_mode" else schedule == "live"
