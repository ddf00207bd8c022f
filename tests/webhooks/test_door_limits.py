"""Sizes, as the deployed door sees them over a real socket: told beforehand and chunked."""

import pytest

LIMIT = 256 * 1024


@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_of_exactly_the_limit_is_received(gunicorn, event, sign, chunked):
    body = event().ljust(LIMIT)

    status = gunicorn.post([body] if chunked else body, header=sign(body), encode_chunked=chunked)

    assert (status, gunicorn.door.events()) == (200, [("evt_1", 1, "received")])


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("excess", [1, LIMIT])
def test_a_body_past_the_limit_gets_413_and_leaves_no_event(gunicorn, event, sign, chunked, excess):
    body = event().ljust(LIMIT + excess)

    status = gunicorn.post([body] if chunked else body, header=sign(body), encode_chunked=chunked)

    assert (status, gunicorn.door.events()) == (413, [])


def test_a_forged_webhook_gets_400_and_leaves_no_event(gunicorn, event, sign):
    status = gunicorn.post(event(), header=sign(event(), secret="whsec_third"))

    assert (status, gunicorn.door.events()) == (400, [])
