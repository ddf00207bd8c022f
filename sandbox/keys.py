"""API keys: which account and mode a key opens, and the books behind it.

Keys of one account and mode open the same books; a revoked key is remembered, because Stripe answers it otherwise than
one it never saw.
"""

from collections.abc import Callable

from sandbox.books import Books, RejectionListener, nobody
from sandbox.clock import Clock
from sandbox.errors import no_key, revoked_key, wrong_key
from sandbox.ids import Ids
from sandbox.settings import Settings

DEFAULT_KEY = "sk_test_sandbox"
DEFAULT_ACCOUNT = "acct_sandbox"


class Keys:
    def __init__(
        self,
        *,
        seed: int,
        clock: Clock,
        settings: Settings,
        announce: Callable[[Books, str], None],
        rejected: RejectionListener = nobody,
    ) -> None:
        self._seed = seed
        self._clock = clock
        self._announce = announce
        self._rejected = rejected
        self._settings = settings
        self._opened: dict[str, Books] = {}
        self._revoked: set[str] = set()
        self._books: dict[tuple[str, bool], Books] = {}
        self.add(DEFAULT_KEY, account=DEFAULT_ACCOUNT, livemode=False)

    def add(self, key: str, *, account: str, livemode: bool) -> None:
        self._revoked.discard(key)
        self._opened[key] = self.books(account, livemode=livemode)

    def revoke(self, key: str) -> None:
        if self._opened.pop(key, None) is not None:
            self._revoked.add(key)

    def find(self, key: str | None) -> Books | None:
        return None if key is None else self._opened.get(key)

    def opened(self, key: str | None) -> Books:
        """The books of this key; ApiError 401 where it opens none."""
        if not key:
            raise no_key()
        if key in self._revoked:
            raise revoked_key(key)
        books = self._opened.get(key)
        if books is None:
            raise wrong_key(key)
        return books

    def books(self, account: str, *, livemode: bool) -> Books:
        found = self._books.get((account, livemode))
        if found is None:
            ids = Ids(seed=self._seed, scope=f"{account}/{'live' if livemode else 'test'}")
            found = self._books[account, livemode] = Books(
                account=account,
                livemode=livemode,
                clock=self._clock,
                ids=ids,
                settings=self._settings,
                announce=self._announce,
                rejected=self._rejected,
            )
        return found

    def reset(self, account: str) -> None:
        """New books for its keys, of both modes; what is still on the agenda for the old ones happens unheard."""
        for livemode in (False, True):
            old = self._books.pop((account, livemode), None)
            if old is None:
                continue
            old.announce, old.rejected = _unheard, nobody
            new = self.books(account, livemode=livemode)
            self._opened |= {key: new for key, opened in self._opened.items() if opened is old}

    def all_books(self) -> list[Books]:
        return list(self._books.values())

    def set_defaults(self, settings: Settings) -> None:
        """What accounts opened from now on begin with."""
        self._settings = settings

    @property
    def defaults(self) -> Settings:
        return self._settings


def _unheard(_: Books, __: str) -> None:
    """Nobody hears of events in books that are closed."""
