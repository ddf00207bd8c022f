"""What the storm's judge sees: Stripe, the wire and the ledger must tell the same of every row and every call."""

from typing import Any

import pytest

from chaos.calls import CallLog
from chaos.signups.judge import judge
from chaos.signups.place import Place, is_signups
from tests.signups.conftest import TIMING, Shop


@pytest.fixture
def wanted(shop: Shop) -> dict[str, str]:
    """Two rows are made; the customer of each by what it is called at Stripe."""
    for number in range(2):
        shop.tell(row_id=f"s{number}")
    shop.work(2)
    return dict(shop.ask("SELECT identifier, customer FROM signup JOIN signup_lane USING (signup_lane_id)"))


def judged(shop: Shop, wanted: dict[str, str]) -> Any:
    url = shop.settings.stripe_api_base
    calls = CallLog(sandbox_url=url, account=shop.stripe_account, is_wanted=is_signups)
    env: Any = {"DATABASE_URL": shop.settings.database_url, "STRIPE_API_BASE": url}
    nobody: Any = None  # of the processes and servers it is asked nothing
    place = Place(env=env, timing=TIMING, stack=nobody, workers=nobody, stripe=shop.stripe, calls=calls)
    return judge(place, wanted)


def create(shop: Shop, row: str, customer: str, **options: Any) -> None:
    """A call past the ledger."""
    asked: Any = {"customer": customer, "items": [{"price": shop.price}], "metadata": {"meterpost_row": row}}
    shop.stripe.v1.subscriptions.create(asked, {"headers": options})


def test_where_all_agree_nothing_is_wrong(shop: Shop, wanted: dict[str, str]) -> None:
    verdict = judged(shop, wanted)

    assert (verdict.created, verdict.missing, verdict.doubled, verdict.wrongs) == (2, (), (), ())
    assert (verdict.calls["create"], verdict.calls["list"]) == (2, 2)


def test_a_row_without_a_subscription_is_missing(shop: Shop, wanted: dict[str, str]) -> None:
    assert judged(shop, {**wanted, "mps-0": "cus_0"}).missing == ("mps-0",)


def test_a_row_with_two_is_doubled_and_the_ledger_knows_one_of_them(shop: Shop, wanted: dict[str, str]) -> None:
    row, customer = next(iter(wanted.items()))
    create(shop, row, customer)

    verdict = judged(shop, wanted)

    assert verdict.doubled == (row,)
    assert any("the ledger and Stripe differ (1)" in wrong for wrong in verdict.wrongs)


def test_a_call_without_its_attempt_is_told(shop: Shop, wanted: dict[str, str]) -> None:
    row, customer = next(iter(wanted.items()))
    create(shop, row, customer, **{"X-Request-Id": "signup-99-1"})

    assert any("attempts differ (1): signup-99-1" in wrong for wrong in judged(shop, wanted).wrongs)


def test_an_attempt_that_made_two_calls_is_told(shop: Shop, wanted: dict[str, str]) -> None:
    row, customer = next(iter(wanted.items()))
    (made,) = [call for call in shop.calls() if call["method"] == "POST" and call["idempotency_key"] == row]
    create(shop, row, customer, **{"X-Request-Id": made["client_request_id"], "Idempotency-Key": row})

    assert any(f"{made['client_request_id']} twice" in wrong for wrong in judged(shop, wanted).wrongs)


def test_an_attempt_that_the_wire_did_not_see_is_told(shop: Shop, wanted: dict[str, str]) -> None:
    told = "signup_lane_id, signup_id, step, fence, ended_at, outcome, status, request_id"
    shop.write(f"""
        INSERT INTO signup_attempt ({told})
        SELECT signup_lane_id, signup_id, 'list', 1, ledger_now(), 'accepted', 200, 'req_0' FROM signup LIMIT 1
    """)

    assert any("the wire differ (1)" in wrong for wrong in judged(shop, wanted).wrongs)


def test_what_is_before_a_person_is_told(shop: Shop, wanted: dict[str, str]) -> None:
    shop.tell(row_id="s9", coupon="NONE")
    shop.work()

    verdict = judged(shop, wanted)

    assert verdict.before_person == 1
    assert any("a letter lies on the desk (1): su-" in wrong for wrong in verdict.wrongs)
