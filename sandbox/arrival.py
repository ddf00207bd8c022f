"""A call as it arrived: nothing believed yet, only split into its parts."""

from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass

from sandbox.form import Pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    method: str
    path: str
    pairs: Pairs | None
    """The parameters in the order they came; None where they cannot be read."""
    secret: str | None
    idempotency_key: str | None
    version: str | None

    def fingerprint(self) -> int:
        """Equal for calls that ask the same: what an Idempotency-Key is bound to."""
        return hash((self.method, self.path, tuple(sorted(self.pairs or ()))))


def secret_of(authorization: str | None) -> str | None:
    """The API key of a Bearer or Basic header; None where there is none."""
    scheme, _, credentials = (authorization or "").partition(" ")
    match scheme.lower():
        case "bearer":
            return credentials.strip() or None
        case "basic":
            return _user_name(credentials)
        case _:
            return None


def _user_name(credentials: str) -> str | None:
    try:
        return b64decode(credentials, validate=True).decode().partition(":")[0] or None
    except (Base64Error, UnicodeDecodeError):
        return None
