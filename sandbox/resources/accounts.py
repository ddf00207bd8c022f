"""The account behind the key: who is calling, and nothing of Stripe's onboarding."""

from sandbox.call import Call
from sandbox.wire import JsonObject


def retrieve_own(call: Call) -> JsonObject:
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
