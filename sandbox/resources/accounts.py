"""The account behind the key: who is calling, and nothing of Stripe's onboarding or of Connect."""

from sandbox.calls.call import Call
from sandbox.errors import ApiError
from sandbox.wire import JsonObject


def retrieve_own(call: Call) -> JsonObject:
    call.params.nothing_else()
    return {
        "id": call.books.account,
        "object": "account",
        "business_type": "company",
        "charges_enabled": True,
        "country": "US",
        "created": 1_700_000_000,
        "default_currency": "usd",
        "details_submitted": True,
        "email": f"{call.books.account}@sandbox.example",
        "metadata": {},
        "payouts_enabled": True,
        "type": "standard",
    }


def retrieve(call: Call) -> JsonObject:
    """One's own account by its id; of others Stripe does not even say whether there are any."""
    if call.id != call.books.account:
        raise ApiError(
            403,
            f"The provided key does not have access to account '{call.id[:100]}' (or that account does not exist). "
            "Application access may have been revoked.",
            code="account_invalid",
        )
    return retrieve_own(call)
