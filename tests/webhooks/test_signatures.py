"""Is it Stripe's? Pure: time and secrets are arguments."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.webhook_secrets import parse_secrets
from webhooks.verify import TOLERANCE_S, Refusal, Verified, verify

NOW = 1_790_000_000
BODY = b'{"id": "evt_1"}'
SECRETS = parse_secrets(["whsec_new", "whsec_old"])
NEW, OLD = (secret.fingerprint for secret in SECRETS)


def test_a_signature_of_any_active_secret_is_verified_and_named(sign):
    header = sign(BODY, at=NOW, secret="whsec_old")

    assert verify(header, BODY, secrets=SECRETS, now=NOW) == Verified(OLD)


@pytest.mark.parametrize(("ends_at", "told"), [("10:00:01", Verified(NEW)), ("10:00:00", Refusal.ENDED)])
def test_a_secret_verifies_until_the_instant_of_its_end(sign, ends_at, told):
    ending = parse_secrets([f"whsec_new@2026-09-21T{ends_at}+00:00"])
    at = datetime(2026, 9, 21, 10, tzinfo=UTC).timestamp()

    assert verify(sign(BODY, at=at), BODY, secrets=ending, now=at) == told


def test_what_an_ended_and_a_lasting_secret_signed_is_verified_by_the_lasting_one(sign):
    secrets = parse_secrets(["whsec_old@2000-01-01T00:00:00Z", "whsec_new"])
    _, _, second = sign(BODY, at=NOW).partition(",")

    told = verify(f"{sign(BODY, at=NOW, secret='whsec_old')},{second}", BODY, secrets=secrets, now=NOW)

    assert told == Verified(NEW)


def test_a_signature_of_another_secret_is_forged(sign):
    header = sign(BODY, at=NOW, secret="whsec_third")

    assert verify(header, BODY, secrets=SECRETS, now=NOW) is Refusal.FORGED


def test_only_what_was_signed_is_called_stale(sign):
    header = sign(BODY, at=0, secret="whsec_third")

    assert verify(header, BODY, secrets=SECRETS, now=NOW) is Refusal.FORGED


def test_a_body_changed_by_one_byte_is_forged(sign):
    header = sign(BODY, at=NOW)

    assert verify(header, BODY + b" ", secrets=SECRETS, now=NOW) is Refusal.FORGED


def test_one_good_signature_among_others_suffices(sign):
    header = f"{sign(BODY, at=NOW)},v1={'0' * 64},v0={'1' * 64}"

    assert verify(header, BODY, secrets=SECRETS, now=NOW) == Verified(NEW)


@pytest.mark.parametrize("age_s", [TOLERANCE_S, -TOLERANCE_S])
def test_a_clock_may_differ_by_the_tolerance_either_way(sign, age_s):
    header = sign(BODY, at=NOW - age_s)

    assert verify(header, BODY, secrets=SECRETS, now=NOW) == Verified(NEW)


@pytest.mark.parametrize(("age_s", "refusal"), [(TOLERANCE_S + 1, Refusal.STALE), (-TOLERANCE_S - 1, Refusal.FUTURE)])
def test_a_genuine_signature_beyond_the_tolerance_is_refused_either_way(sign, age_s, refusal):
    header = sign(BODY, at=NOW - age_s)

    assert verify(header, BODY, secrets=SECRETS, now=NOW) is refusal


@pytest.mark.parametrize(
    "spoil",
    [
        lambda header: f"t={NOW},{header}",
        lambda header: f"{header},t={NOW}",
        lambda header: header.replace("v1=", "v1=é"),
        lambda header: header + ",v1=00" * 10_000,
        lambda header: header + ",v1=00" * 10,
        lambda header: header.replace(f"t={NOW}", f"t={NOW}.5"),
        lambda header: header.replace(f"t={NOW}", "t=" + "9" * 13),
        lambda header: header.replace(f"t={NOW}", "t=٣"),
        lambda header: header.replace(f"t={NOW}", "t=-1"),
        lambda header: header.replace("v1=", "v2="),
        lambda header: header.replace(f"t={NOW},", ""),
        lambda _: "",
    ],
)
def test_a_header_that_stripe_would_not_write_is_malformed(sign, spoil):
    header = spoil(sign(BODY, at=NOW))

    assert verify(header, BODY, secrets=SECRETS, now=NOW) is Refusal.MALFORMED


def test_no_header_is_refused():
    assert verify(None, BODY, secrets=SECRETS, now=NOW) is Refusal.MISSING


def test_without_a_secret_nothing_is_believed(sign):
    assert verify(sign(BODY, at=NOW), BODY, secrets=(), now=NOW) is Refusal.FORGED


@given(header=st.none() | st.text(), body=st.binary())
def test_no_stranger_is_believed_and_none_raises(header, body):
    assert isinstance(verify(header, body, secrets=SECRETS, now=NOW), Refusal)


@given(pairs=st.lists(st.tuples(st.sampled_from(["t", "v1", "v0"]), st.text("0123456789af= ,é", max_size=20))))
def test_nearly_right_headers_are_not_believed_and_do_not_raise(pairs):
    header = ",".join(f"{name}={value}" for name, value in pairs)

    assert isinstance(verify(header, BODY, secrets=SECRETS, now=NOW), Refusal)
