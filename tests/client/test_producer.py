"""A call that returns has its rows on the queue; one that raises says which row, which field and why."""

import os
import threading
from decimal import Decimal
from typing import Any

import pytest

from meterpost import Meterpost, NotPublished, RowRefused


def _publish_together(meterpost: Meterpost, *, customers: list[str]) -> None:
    with meterpost.batch() as batch:
        for number, customer in enumerate(customers):
            batch.usage(customer, "api_requests", 1, row_id=f"r{number}")


def test_a_call_returns_the_row_id_once_the_queue_has_the_row(meterpost: Meterpost, queued: Any) -> None:
    row_id = meterpost.usage("cus_1", "api_requests", Decimal("0.50"))
    assert queued.rows() == [
        {"row_id": row_id, "source": "app", "customer": "cus_1", "meter": "api_requests", "value": "0.5"}
    ]


def test_a_told_time_and_id_travel_with_the_row(meterpost: Meterpost, queued: Any) -> None:
    at = queued.recent
    meterpost.usage("cus_1", "api_requests", 1, occurred_at=at, row_id="r1", source="exports")
    assert [(row["row_id"], row["source"], row["occurred_at"]) for row in queued.rows()] == [("r1", "exports", at)]


def test_a_bad_row_fails_at_the_call_and_is_not_published(meterpost: Meterpost, queued: Any) -> None:
    with pytest.raises(RowRefused, match="value: is a float, which is not exact") as refused:
        meterpost.usage("cus_1", "api_requests", 1.5, row_id="r1")  # type: ignore[arg-type]  # the mistake it is about
    assert (refused.value.field, refused.value.row_id) == ("value", "r1")
    assert queued.messages() == []


def test_a_batch_is_one_message(meterpost: Meterpost, queued: Any) -> None:
    with meterpost.batch() as batch:
        for number in range(1000):
            batch.usage("cus_1", "api_requests", number)
    [message] = queued.messages()
    assert tuple(row["row_id"] for row in message["rows"]) == batch.row_ids


def test_an_empty_batch_is_an_error(meterpost: Meterpost) -> None:
    with pytest.raises(RowRefused, match="at least one row"), meterpost.batch():
        pass


def test_row_1001_of_a_batch_is_an_error_and_nothing_is_published(meterpost: Meterpost, queued: Any) -> None:
    with pytest.raises(RowRefused, match="at most 1,000 rows"):
        _publish_together(meterpost, customers=["cus_1"] * 1001)
    assert queued.messages() == []


def test_a_batch_left_by_an_exception_publishes_nothing(meterpost: Meterpost, queued: Any) -> None:
    with pytest.raises(RowRefused, match="customer: 'nobody'"):
        _publish_together(meterpost, customers=["cus_1", "nobody"])
    assert queued.messages() == []


def test_a_stream_is_published_in_messages_of_a_thousand(meterpost: Meterpost, queued: Any) -> None:
    rows = ({"row_id": f"r{n}", "customer": "cus_1", "meter": "api_requests", "value": 1} for n in range(2500))
    assert meterpost.publish_many(rows) == 2500
    assert [len(message["rows"]) for message in queued.messages()] == [1000, 1000, 500]
    assert [row["row_id"] for row in queued.rows()] == [f"r{n}" for n in range(2500)]


def test_a_row_of_a_stream_must_bring_its_id(meterpost: Meterpost) -> None:
    with pytest.raises(RowRefused, match="row_id: is missing"):
        meterpost.publish_many([{"customer": "cus_1", "meter": "api_requests", "value": 1}])


def test_threads_share_one_client(meterpost: Meterpost, queued: Any) -> None:
    threads = [threading.Thread(target=meterpost.usage, args=["cus_1", "api_requests", n]) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(int(row["value"]) for row in queued.rows()) == list(range(20))


def test_after_a_fork_the_child_takes_connections_of_its_own(
    meterpost: Meterpost, monkeypatch: pytest.MonkeyPatch
) -> None:
    meterpost.usage("cus_1", "api_requests", 1)
    [parents] = meterpost._publisher._idle
    child = os.getpid() + 1
    monkeypatch.setattr(os, "getpid", lambda: child)
    meterpost.usage("cus_1", "api_requests", 1)
    assert parents not in meterpost._publisher._idle
    parents.close()


def test_the_environment_names_the_queue(valkey_url: str, monkeypatch: pytest.MonkeyPatch, queued: Any) -> None:
    monkeypatch.setenv("BROKER_URL", valkey_url)
    with Meterpost.from_env() as meterpost:
        meterpost.usage("cus_1", "api_requests", 1)
    assert len(queued.rows()) == 1


def test_a_missing_broker_url_says_what_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BROKER_URL", raising=False)
    with pytest.raises(ValueError, match="BROKER_URL is not set; say where"):
        Meterpost.from_env()


def test_a_url_of_no_broker_fails_before_the_first_row() -> None:
    with pytest.raises(ValueError, match="names no broker we know"):
        Meterpost("gopher://localhost")


def test_a_reply_lost_on_the_way_back_repeats_the_call_with_the_same_row_id(
    lossy_proxy: Any, lossy_meterpost: Meterpost, queued: Any
) -> None:
    lossy_proxy.replies_to_drop = 2
    row_id = lossy_meterpost.usage("cus_1", "api_requests", 1)
    assert [row["row_id"] for row in queued.rows()] == [row_id] * 3
    assert len({message["sent_at"] for message in queued.messages()}) == 1


def test_a_queue_that_never_answers_raises_with_the_row_ids_and_leaves_them_to_the_caller(
    lossy_proxy: Any, lossy_meterpost: Meterpost, queued: Any
) -> None:
    lossy_proxy.replies_to_drop = 1000
    with pytest.raises(NotPublished, match="repeat the call with the same row ids") as raised:
        lossy_meterpost.usage("cus_1", "api_requests", 1, row_id="r1")
    assert raised.value.row_ids == ("r1",)
    assert {row["row_id"] for row in queued.rows()} == {"r1"}


def test_a_command_is_sent_once_for_each_attempt(lossy_proxy: Any, lossy_meterpost: Meterpost) -> None:
    lossy_proxy.replies_to_drop = 1
    lossy_meterpost.usage("cus_1", "api_requests", 1)
    assert lossy_proxy.pushes == 2


def test_a_batch_carries_all_its_row_ids_when_the_queue_is_away(free_port: int) -> None:
    away = f"redis://127.0.0.1:{free_port}/0"
    with Meterpost(away, deadline_s=0.1) as meterpost, pytest.raises(NotPublished) as raised:
        _publish_together(meterpost, customers=["cus_1", "cus_2"])
    assert raised.value.row_ids == ("r0", "r1")


def test_a_full_queue_refuses_at_once(full_valkey_url: str) -> None:
    with Meterpost(full_valkey_url, deadline_s=60) as meterpost, pytest.raises(NotPublished, match="OutOfMemory"):
        meterpost.usage("cus_1", "api_requests", 1)


def test_a_subscription_travels_with_all_that_it_says(meterpost: Meterpost, queued: Any) -> None:
    row_id = meterpost.subscription("cus_1", "price_1", trial_days=14, metadata={"team": "blue"}, import_name="a.csv")
    [message] = queued.messages()
    assert message["schema"] == "subscription.1"
    assert message["rows"] == [
        {
            "row_id": row_id,
            "source": "app",
            "import_name": "a.csv",
            "customer": "cus_1",
            "price": "price_1",
            "trial_days": 14,
            "metadata": {"team": "blue"},
        }
    ]


def test_a_bad_subscription_fails_at_the_call_and_is_not_published(meterpost: Meterpost, queued: Any) -> None:
    with pytest.raises(RowRefused, match="tax_rates: cannot be told with automatic_tax") as refused:
        meterpost.subscription("cus_1", "price_1", automatic_tax=True, tax_rates=["txr_1"], row_id="s1")
    assert (refused.value.field, refused.value.row_id) == ("tax_rates", "s1")
    assert queued.messages() == []


def test_a_batch_of_both_kinds_is_two_messages_in_one_round_trip(lossy_meterpost: Meterpost, lossy_proxy: Any) -> None:
    with lossy_meterpost.batch() as batch:
        batch.subscription("cus_1", "price_1", row_id="s1")
        batch.usage("cus_1", "tokens", 1, row_id="r1")
    assert (batch.row_ids, lossy_proxy.pushes) == (("s1", "r1"), 1)


def test_a_batch_that_was_not_confirmed_tells_the_ids_of_both_kinds(free_port: int) -> None:
    away = Meterpost(f"redis://127.0.0.1:{free_port}/0", deadline_s=0)
    batch = away.batch()
    batch.usage("cus_1", "tokens", 1, row_id="r1")
    batch.subscription("cus_1", "price_1", row_id="s1")
    with pytest.raises(NotPublished) as failed, batch:
        pass
    assert failed.value.row_ids == ("r1", "s1")


def test_a_stream_of_subscriptions_is_published_in_messages_of_a_thousand(meterpost: Meterpost, queued: Any) -> None:
    rows = ({"row_id": f"s{n}", "customer": "cus_1", "price": "price_1"} for n in range(1500))
    assert meterpost.publish_subscriptions(rows) == 1500
    assert [len(message["rows"]) for message in queued.messages()] == [1000, 500]


def test_a_subscription_of_a_stream_must_bring_its_id(meterpost: Meterpost) -> None:
    with pytest.raises(RowRefused, match="row_id: is missing"):
        meterpost.publish_subscriptions([{"customer": "cus_1", "price": "price_1"}])
