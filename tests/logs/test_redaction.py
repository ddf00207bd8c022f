"""Secrets planted on every path, and none comes out."""

import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.logs import say
from service.redaction import TEXT_MAX, mask, redact, redact_field, scrub

Lines = Callable[[], list[dict[str, Any]]]
CANARY = "c4n4ryc4n4ryc4n4ry"
SECRETS = {
    "secret key": f"sk_live_{CANARY}wxyz",
    "restricted key": f"rk_test_{CANARY}wxyz",
    "webhook secret": f"whsec_{CANARY}+/=",
    "password in an address": f"redis://:{CANARY}@127.0.0.1:6379/0",
    "user and password with a slash": f"postgresql://u:a/{CANARY}@db/ledger",
    "bearer": f"Authorization: Bearer {CANARY}",
    "basic": f"Basic {CANARY}==",
    "connection string": f"host=db password={CANARY} user=u",
    "dictionary's text": f"{{'api_key': '{CANARY}', 'n': 1}}",
    "json's text": f'{{"client_secret": "{CANARY}"}}',
}
planted = pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())


@planted
def test_a_secret_in_a_value_is_masked(secret: str) -> None:
    assert CANARY not in scrub(f"before {secret} after")


@planted
def test_what_stands_around_a_secret_stays(secret: str) -> None:
    text = scrub(f"before {secret} after")

    assert (text[:7], text[-6:]) == ("before ", " after")


@planted
def test_a_secret_deep_in_a_field_is_masked(lines: Lines, secret: str) -> None:
    say("stranger.refused", reason={"headers": [("x", secret)], "tried": {"text": secret}})

    assert CANARY not in str(lines())


@planted
def test_a_secret_in_an_exceptions_text_is_masked(lines: Lines, secret: str) -> None:
    try:
        int(secret)
    except ValueError as error:
        say("event.failed", error=error, exc_info=True)

    (line,) = lines()
    assert CANARY not in str(line)
    assert "ValueError" in line["error"]


@planted
@pytest.mark.parametrize("name", ["rq.worker", "kombu.connection", "gunicorn.error", "stripe"])
def test_a_secret_in_a_librarys_line_is_masked(lines: Lines, name: str, secret: str) -> None:
    logging.getLogger(name).error("trouble with %r", {"a": secret}, extra={"more": [secret]})

    assert CANARY not in str(lines())


@planted
def test_a_secret_in_a_crash_is_masked(lines: Lines, secret: str) -> None:
    try:
        int(secret)
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)

    (line,) = lines()
    assert line["event"] == "program.crashed"
    assert CANARY not in str(line)


def test_a_crash_in_a_thread_is_logged_and_masked(lines: Lines) -> None:
    def crash() -> None:
        raise RuntimeError(SECRETS["secret key"])

    thread = threading.Thread(target=crash)
    thread.start()
    thread.join()

    (line,) = lines()
    assert line["event"] == "program.crashed"
    assert CANARY not in str(line)


def test_a_line_that_cannot_be_formatted_does_not_show_its_arguments(
    lines: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("kombu").error("%d", SECRETS["secret key"])

    captured = capsys.readouterr()
    assert CANARY not in captured.out + captured.err
    assert "left out" in captured.out


@pytest.mark.parametrize("name", ["api_key", "STRIPE_SECRET_KEY", "token", "Authorization", "dsn", "db_password"])
def test_a_field_whose_name_says_secret_is_gone_whatever_it_holds(name: str) -> None:
    assert redact_field(name, "harmless") == "[redacted]"


@pytest.mark.parametrize("name", ["idempotency_key", "row_key"])
def test_ids_that_are_called_keys_stay_readable(name: str) -> None:
    assert redact_field(name, "default:7:1") == "default:7:1"


def test_bytes_are_told_by_their_size_alone() -> None:
    assert redact(b"a webhook's body") == "<16 bytes>"


def test_a_key_shows_its_kind_and_its_last_four_characters() -> None:
    assert mask("sk_test_4eC39HqLyjWDarjtT1zdp7dc") == "sk_test_…p7dc"


def test_a_secret_of_no_known_kind_shows_nothing() -> None:
    assert mask("hunter2") == "[redacted]"


@given(st.integers(0, 3 * TEXT_MAX), st.integers(0, 3 * TEXT_MAX), st.sampled_from(sorted(SECRETS.values())))
def test_a_long_text_is_shortened_without_cutting_a_secret_in_two(before: int, after: int, secret: str) -> None:
    text = scrub("word " * (before // 5) + secret + "\nword" * (after // 5))

    assert CANARY[:4] not in text
    assert len(text) <= TEXT_MAX + 100
