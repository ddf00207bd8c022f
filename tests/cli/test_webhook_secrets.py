"""The secrets of STRIPE_WEBHOOK_SECRETS, with and without an end."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service import settings
from service.webhook_secrets import parse_secret

Command = Callable[..., Any]
NAME = "STRIPE_WEBHOOK_SECRETS"


def test_secrets_are_read_with_their_ends(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "whsec_new, whsec_old@2026-12-01T01:00:00+01:00")

    new, old = settings.load().webhook_secrets

    assert (new.value, new.ends_at) == (b"whsec_new", None)
    assert (old.value, old.ends_at) == (b"whsec_old", datetime(2026, 12, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "wrong",
    [
        "c4n4ry",
        "whsec_",
        "whsec_c4n4ry@",
        "whsec_c4n4ry@tomorrow",
        "whsec_c4n4ry@2026-12-01",
        "whsec_c4n4ry@2026-12-01T00:00:00",
        "whsec_c4n4ry@2026-13-01T00:00:00Z",
        "whsec_c4n4ry@0001-01-01T00:00:00+14:00",
        "whsec_c4n4ry,whsec_c4n4ry@2026-12-01T00:00:00Z",
        "whsec_c4n4rý",
    ],
)
def test_a_wrong_secret_is_an_error_with_the_remedy_and_without_the_secret(
    command: Command, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setenv(NAME, wrong)

    ran = command("config")

    assert (ran.code, NAME in ran.err, "c4n4r" in ran.err) == (2, True, False)
    assert "2026-12-01T00:00:00Z" in ran.err or "leave one of the two out" in ran.err


def test_a_secret_is_shown_by_its_fingerprint_and_its_end(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "whsec_c4n4ry@2026-12-01T00:00:00Z")

    (shown,) = [one["value"] for one in command("config", "--json").json["settings"] if one["name"] == NAME]

    assert shown == f"whsec_… {parse_secret('whsec_c4n4ry').fingerprint} until 2026-12-01T00:00:00+00:00"


def test_a_secret_shows_itself_nowhere() -> None:
    assert "c4n4ry" not in repr(parse_secret("whsec_c4n4ry"))
