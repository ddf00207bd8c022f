"""Is it Stripe's? Pure: time and secrets are arguments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.verify import TOLERANCE_S, Refusal, Verified, verify

NOW = 1_790_000_000
BODY = b'{"id": "evt_1"}'
SECRETS = ("whsec_new", "whsec_old")


def test_a_signature_of_any_active_secret_is_verified_and_named(sign):
    header = sign(BODY, at=NOW, secret="whsec_old")

    assert verify(header, BODY, secrets=SECRETS, now=NOW) == Verified(secret_index=1)


def test_a_signature_of_another_secret_is_forged(sign):
    header = sign(BODY, at=NOW, secret="whsec_third")

    assert verify(header, BODY, secrets=SECRETS, now=NOW) is Refusal.FORGED


def test_a_body_changed_by_one_byte_is_forged(sign):
    header = sign(BODY, at=NOW)

    assert verify(header, BODY + b" ", secrets=SECRETS, now=NOW) is Refusal.FORGED


def test_one_good_signature_among_others_suffices(sign):
    header = f"{sign(BODY, at=NOW)},v1={'0' * 64},v0={'1' * 64}"

    assert verify(header, BODY, secrets=SECRETS, now=NOW) == Verified(secret_index=0)


@pytest.mark.parametrize("age_s", [TOLERANCE_S, -TOLERANCE_S])
def test_a_clock_may_differ_by_the_tolerance_either_way(sign, age_s):
    header = sign(BODY, at=NOW - age_s)

    assert verify(header, BODY, secrets=SECRETS, now=NOW) == Verified(secret_index=0)


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
