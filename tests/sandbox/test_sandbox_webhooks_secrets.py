"""Secrets of webhooks: while one is rolled both sign, then only the new one."""

from typing import Any

import pytest
import stripe


@pytest.fixture
def heard(own_shop: Any, receiver: Any) -> Any:
    """Makes something happen, and returns what the receiver was told and how it was signed."""
    count = iter(range(1, 100))

    def hear() -> tuple[bytes, str]:
        own_shop.customer()
        found: tuple[bytes, str] = receiver.wait(next(count))[-1]
        return found

    return hear


@pytest.fixture
def made(own_shop: Any, receiver: Any) -> Any:
    return own_shop.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.created"]})


def roll(shop: Any, endpoint: str, **more: Any) -> Any:
    return shop.sandbox.control("POST", "roll_secret", endpoint=endpoint, **more)


def accepts(secret: str, told: tuple[bytes, str]) -> bool:
    body, signature = told
    try:
        return stripe.WebhookSignature.verify_header(body.decode(), signature, secret, 300)
    except stripe.SignatureVerificationError:
        return False


def test_while_a_secret_is_rolled_both_sign(own_shop: Any, made: Any, heard: Any) -> None:
    rolled = roll(own_shop, made.id, expires_in=3_600)
    told = heard()
    assert rolled["secret"] != made.secret
    assert accepts(made.secret, told)
    assert accepts(rolled["secret"], told)
    assert told[1].count("v1=") == 2


def test_a_rolled_secret_signs_no_more_once_it_is_expired(own_shop: Any, made: Any, heard: Any) -> None:
    rolled = roll(own_shop, made.id, expires_in=3_600)
    own_shop.sandbox.control("POST", "clock", advance=3_601)
    told = heard()
    assert not accepts(made.secret, told)
    assert accepts(rolled["secret"], told)


def test_a_secret_may_be_rolled_at_once(own_shop: Any, made: Any, heard: Any) -> None:
    roll(own_shop, made.id)
    assert heard()[1].count("v1=") == 1


def test_rolling_twice_lets_the_first_secret_go(own_shop: Any, made: Any, heard: Any) -> None:
    second = roll(own_shop, made.id, expires_in=3_600)["secret"]
    third = roll(own_shop, made.id, expires_in=3_600)["secret"]
    told = heard()
    assert [accepts(secret, told) for secret in (made.secret, second, third)] == [False, True, True]


def test_test_mode_signs_with_a_wrong_scheme_too(made: Any, heard: Any) -> None:
    schemes = [part.partition("=")[0] for part in heard()[1].split(",")]
    assert schemes == ["t", "v1", "v0"]


@pytest.mark.parametrize("asked", [{"endpoint": "we_none"}, {"endpoint": 7}, {}, {"endpoint": "we_none", "colour": 1}])
def test_a_secret_of_nothing_cannot_be_rolled(shared_sandbox: Any, asked: Any) -> None:
    with pytest.raises(OSError, match="400"):
        shared_sandbox.control("POST", "roll_secret", **asked)


@pytest.mark.parametrize("expires_in", [-1, 86_401, "soon", 1.5, True])
def test_a_secret_expires_within_a_day(own_shop: Any, made: Any, expires_in: Any) -> None:
    with pytest.raises(OSError, match="400"):
        roll(own_shop, made.id, expires_in=expires_in)


def test_live_mode_signs_with_v1_alone(own_sandbox: Any, receiver: Any) -> None:
    live = own_sandbox.shop(livemode=True)
    live.settings(live_webhooks_need_https=False)
    live.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.created"]})
    live.customer()
    assert [part.partition("=")[0] for part in receiver.wait(1)[0][1].split(",")] == ["t", "v1"]
    live.http.close()
