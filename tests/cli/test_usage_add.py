"""One row from the command line."""

from collections.abc import Callable
from typing import Any

import pytest

from meterpost.rows import UsageRow

Command = Callable[..., Any]
Published = Callable[[], list[UsageRow]]


def test_a_row_is_on_the_queue_when_the_command_returns_and_its_id_is_printed(
    command: Command, published: Published
) -> None:
    ran = command("usage", "add", "cus_1", "api_requests", "3", "--row-id", "export-17")

    (row,) = published()
    assert (ran.code, ran.out) == (0, "export-17\n")
    assert (row.customer, row.meter, int(row.value), row.source) == ("cus_1", "api_requests", 3, "cli")


def test_a_negative_value_is_no_option(command: Command, published: Published) -> None:
    command("usage", "add", "cus_1", "api_requests", "-3")

    assert [int(row.value) for row in published()] == [-3]


def test_a_unit_may_be_told(command: Command, published: Published) -> None:
    command("usage", "add", "cus_1", "call_seconds", "90", "--unit", "second")

    assert [row.unit for row in published()] == ["second"]


def test_the_answer_as_json_has_the_rows_id(command: Command, queue: str) -> None:
    ran = command("usage", "add", "cus_1", "api_requests", "3", "--row-id", "a", "--source", "s", "--json")

    assert ran.json == {"row_id": "a", "source": "s"}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("cus_1", "api_requests", "1.5e3"), "value: '1.5e3'"),
        (("cus_1", "api_requests", "NaN"), "value: 'NaN'"),
        (("cus_1", "api_requests", "1234567890123456"), "15 significant digits"),
        (("alice", "api_requests", "1"), "customer: 'alice'"),
        (("cus_1", "ApiRequests", "1"), "capitals are not allowed"),
        (("cus_1", "api_requests", "1", "--row-id", "x" * 101), "row_id"),
        (("cus_1", "api_requests", "1", "--at", "2020-01-01"), "too old"),
        (("cus_1", "api_requests", "1", "--at", "yesterday"), "occurred_at: 'yesterday'"),
    ],
)
def test_a_bad_row_is_refused_with_its_field_and_the_reason(
    command: Command, published: Published, arguments: tuple[str, ...], reason: str
) -> None:
    ran = command("usage", "add", *arguments)

    assert (ran.code, ran.out) == (1, "")
    assert reason in ran.err


def test_a_queue_that_is_away_is_said_with_the_rows_id_so_that_the_call_can_be_repeated(
    command: Command, bare: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKER_URL", "redis://:hunter2hunter2@127.0.0.1:1/0")

    ran = command("usage", "add", "cus_1", "api_requests", "1", "--row-id", "export-17")

    assert ran.code == 1
    assert "export-17" in ran.err
    assert "same row ids" in ran.err
    assert "hunter2" not in ran.err


def test_without_a_queue_in_the_settings_nothing_is_tried(command: Command) -> None:
    ran = command("usage", "add", "cus_1", "api_requests", "1")

    assert ran.code == 2
    assert "BROKER_URL is not set" in ran.err
