"""A call as it arrived: nothing believed yet, only split into its parts."""

from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass
from typing import Literal

from sandbox.http.form import Tree, UnreadableError, tree_of_form
from sandbox.http.wire_v2 import document_of, is_v2, tree_of_document
from sandbox.wire import JsonObject

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
UNTYPED = "application/octet-stream"
"""What aiohttp reads where no Content-Type was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    method: str
    path: str
    asked: "Tree | UnreadableError"
    """The parameters of query and body; the reason where they cannot be read."""
    document: JsonObject | None = None
    """The body as it was sent, where it is JSON."""
    secret: str | None
    idempotency_key: str | None
    version: str | None
    client_request_id: str | None = None
    """The caller's own name of the call: X-Request-Id."""
    on_behalf_of: str | None = None
    """The account of Stripe-Account or Stripe-Context."""

    @property
    def api(self) -> Literal["v1", "v2"]:
        return "v2" if is_v2(self.path) else "v1"

    @property
    def sent(self) -> Tree:
        """The parameters; none where they cannot be read."""
        return self.asked if isinstance(self.asked, dict) else {}

    def fingerprint(self) -> int:
        """Equal for calls that ask the same: what an Idempotency-Key is bound to."""
        return hash((self.method, self.path, _sorted(self.sent)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    tree: "Tree | UnreadableError"
    document: JsonObject | None = None


def asked_by(path: str, query: str, *, body: bytes, content_type: str) -> Asked:
    """Query and body together, as Stripe takes parameters from both."""
    try:
        if not is_v2(path):
            form = _text(body, content_type, expected=FORM)
            return Asked(tree=tree_of_form(f"{query}&{form}" if query else form))
        document = document_of(_text(body, content_type, expected=JSON))
        return Asked(tree=tree_of_form(query) | tree_of_document(document), document=document)
    except UnicodeDecodeError:
        return Asked(tree=UnreadableError("Invalid request: the body is not encoded as UTF-8."))
    except UnreadableError as reason:
        return Asked(tree=reason)


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


def _text(body: bytes, content_type: str, *, expected: str) -> str:
    """v2 reads JSON alone and v1 forms alone; a body without a type is taken for what is expected."""
    if body and content_type not in {UNTYPED, expected}:
        raise UnreadableError(
            f"Invalid request (check that your POST content type is {expected}). If you have any questions, we can "
            "help at https://support.stripe.com/."
        )
    return body.decode()


def _sorted(tree: Tree) -> tuple[object, ...]:
    return tuple(
        (name, value if isinstance(value, str) else _sorted(value))
        for name, value in sorted(tree.items(), key=lambda branch: branch[0])
    )


def _user_name(credentials: str) -> str | None:
    try:
        return b64decode(credentials, validate=True).decode().partition(":")[0] or None
    except (Base64Error, UnicodeDecodeError):
        return None
