"""Identifiers that look like Stripe's and depend only on the seed, the account and how many came before.

Each account counts on its own, so accounts used at the same time do not disturb each other's ids.
"""

from base64 import b64encode
from collections import defaultdict
from hashlib import blake2b

SHORT_LENGTH = 14
LONG_LENGTH = 24
SHORT_PREFIXES = frozenset({"cus", "prod", "si", "req", "sess"})
ALPHANUMERIC = bytes.maketrans(b"+/", b"xZ")


class Ids:
    def __init__(self, *, seed: int, scope: str) -> None:
        self._seed = seed
        self._scope = scope
        self._counts: defaultdict[str, int] = defaultdict(int)

    def new(self, prefix: str) -> str:
        self._counts[prefix] += 1
        length = SHORT_LENGTH if prefix in SHORT_PREFIXES else LONG_LENGTH
        return f"{prefix}_{self.letters(prefix, str(self._counts[prefix]))[:length]}"

    def letters(self, *parts: str) -> str:
        """24 letters and digits that stand for these parts: for ids that must be the same when asked again."""
        text = "/".join((str(self._seed), self._scope, *parts))
        return b64encode(blake2b(text.encode(), digest_size=18).digest()).translate(ALPHANUMERIC).decode()
