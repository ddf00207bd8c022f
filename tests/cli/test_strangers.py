"""What the door refused and how its secrets are used, as the command line tells it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from service.doctor_webhooks import examine_secrets
from service.findings import Severity
from service.ledger.events import SecretUse
from service.webhook_secrets import parse_secrets

Command = Callable[..., Any]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SAMPLE = """
INSERT INTO stranger_sample
VALUES ('default', now(), 'forged', 1, now(), '192.0.2.1', 17, 't=1,v1=00', 'what he wrote')
"""
COUNTS = """
INSERT INTO stranger VALUES
('default', date_trunc('day', ledger_now(), 'UTC'), 'forged', 4),
('default', date_trunc('day', ledger_now(), 'UTC') - interval '1 hour', 'forged', 2),
('default', date_trunc('day', ledger_now(), 'UTC') - interval '25 hours', 'forged', 100)
"""


def _secrets_told(texts: list[str], *used: str) -> list[tuple[Severity, str]]:
    secrets = parse_secrets(texts)
    uses = [
        SecretUse(fingerprint=secret.fingerprint, events=3, last_at=NOW)
        for secret in secrets
        if secret.value.decode() in used
    ]
    return [(one.severity, one.text) for one in examine_secrets(secrets, uses, now_s=NOW.timestamp())]


def test_samples_are_listed(command: Command, books: Any) -> None:
    books.execute(SAMPLE)

    listed = command("strangers", "list")

    assert [word in listed.out for word in ("forged", "192.0.2.1", "what he wrote")] == [True] * 3


def test_samples_are_listed_as_json_with_the_counts(command: Command, books: Any) -> None:
    books.execute(SAMPLE)
    books.execute(COUNTS)

    told = command("strangers", "list", "--json").json

    assert told["counts"] == [{"reason": "forged", "today": 4, "yesterday": 2}]
    assert [one["body"] for one in told["samples"]] == ["what he wrote"]


def test_status_counts_today_and_yesterday(command: Command, queue: str, books: Any) -> None:
    books.execute(COUNTS)

    told = command("status", "--json").json["steps"]

    assert [one["count"] for one in told if one["step"] == "receive" and one["state"].startswith("refused")] == [4, 2]


def test_the_doctor_tells_strangers_apart_from_what_was_signed(
    command: Command, books: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", "whsec_1")
    books.execute(COUNTS)
    before = _found(command, "strangers")
    books.execute("UPDATE stranger SET reason = 'ended'")

    assert [(one["severity"], one["text"][:32]) for one in before] == [("fine", "the door refused 4 requests toda")]
    assert [one["severity"] for one in _found(command, "strangers")] == ["warning"]


def test_the_doctor_counts_what_each_secret_verified(
    command: Command, books: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", "whsec_1")
    (secret,) = parse_secrets(["whsec_1"])
    books.execute(
        "INSERT INTO event (account, event_id, type, is_live, created_at, body, delivered_at, last_delivered_at,"
        " last_verified_by) SELECT 'default', 'evt_' || n, 'a', false, now(), '', now(), now(), '7a1bc7fd'"
        " FROM generate_series(1, 3) AS n"
    )
    books.execute(f"UPDATE event SET last_verified_by = '{secret.fingerprint}'")

    (found,) = _found(command, "webhook secrets")

    assert found["text"].startswith(f"1 in force: {secret.fingerprint} (3 events in 7 days, last ")


def test_a_secret_that_ended_is_a_warning_until_it_is_taken_out() -> None:
    told = _secrets_told(["whsec_1@2026-11-21T12:00:00Z", "whsec_2"], "whsec_2")

    assert [severity for severity, _ in told] == [Severity.FINE, Severity.WARNING]
    assert "ended at 2026-11-21T12:00:00+00:00" in told[1][1]


def test_no_secret_in_force_is_a_failure() -> None:
    assert _secrets_told(["whsec_1@2026-11-21T12:00:00Z"])[0][0] is Severity.FAILURE


@pytest.mark.parametrize(
    ("texts", "used", "warned"),
    [
        (["whsec_1", "whsec_2"], ["whsec_1"], 1),
        (["whsec_1", "whsec_2@2026-12-01T00:00:00Z"], ["whsec_1"], 0),
        (["whsec_1", "whsec_2"], ["whsec_1", "whsec_2"], 0),
        (["whsec_1", "whsec_2"], [], 0),
    ],
)
def test_a_lasting_secret_that_is_not_used_while_another_is_is_a_warning(
    texts: list[str], used: list[str], warned: int
) -> None:
    assert sum(severity is Severity.WARNING for severity, _ in _secrets_told(texts, *used)) == warned


def _found(command: Command, name: str) -> list[dict[str, Any]]:
    return [one for one in command("doctor", "--json").json["findings"] if one["name"] == name]
