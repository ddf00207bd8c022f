"""The doctor's single checks, against servers and a Stripe that are told what to answer."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from service import doctor
from service.doctor_clocks import examine_clock
from service.doctor_ledger import examine_migrations, examine_server
from service.doctor_redis import examine_broker
from service.doctor_stripe import Known, check_stripe, examine_stripe
from service.doctor_webhooks import check_webhooks
from service.findings import Finding, Severity, fine
from service.gateway import StripeAccount, StripeRefused, StripeUnavailable
from service.ledger.accounts import PinnedAccount
from service.meters import Meter
from service.settings import load
from service.timing import PROFILES, Timing

FINE, WARNING, FAILURE = Severity.FINE, Severity.WARNING, Severity.FAILURE
DURABLE = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
TEST_KEY = StripeAccount(stripe_account="acct_1", is_live=False)
METER = Meter(
    stripe_id="mtr_1",
    event_name="api_requests",
    formula="sum",
    customer_key="stripe_customer_id",
    value_key="value",
    event_time_window=None,
    is_active=True,
)


class FakeRedis:
    """Answers with what it was told, and remembers what it was asked."""

    def __init__(self, config: Mapping[str, str], *, version: str = "7.2.4", refuses: bool = False) -> None:
        self.config, self.version, self.refuses = config, version, refuses
        self.asked: list[str] = []

    def info(self) -> Mapping[str, object]:
        return {"redis_version": self.version}

    def config_get(self, pattern: str) -> Mapping[str, str]:
        self.asked.append(pattern)
        if self.refuses:
            raise redis.ResponseError("unknown command 'CONFIG'")
        return {pattern: self.config[pattern]}


class AwayRedis(FakeRedis):
    def info(self) -> Mapping[str, object]:
        raise redis.ConnectionError("Error connecting to redis://:c4n4ry@cache:6379")


class FakePostgres:
    def __init__(self, *, version: int = 180_004, **shown: str) -> None:
        self._version, self._shown = (
            version,
            {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"} | shown,
        )

    def version(self) -> int:
        return self._version

    def shown(self, name: str) -> str:
        return self._shown[name]


class FakeStripe:
    def __init__(self, *meters: Meter, key: StripeAccount = TEST_KEY, error: Exception | None = None) -> None:
        self._meters, self._key, self._error = list(meters), key, error

    def account(self) -> StripeAccount:
        if self._error is not None:
            raise self._error
        return self._key

    def list_meters(self) -> list[Meter]:
        return self._meters


def _bad(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity is not FINE]


def test_a_durable_redis_is_fine() -> None:
    server = FakeRedis(DURABLE)

    assert _bad(examine_broker(server, place="cache:6379")) == []
    assert server.asked == list(DURABLE)


@pytest.mark.parametrize(
    ("name", "value"), [("appendonly", "no"), ("appendfsync", "everysec"), ("maxmemory-policy", "allkeys-lru")]
)
def test_a_redis_that_may_lose_rows_is_a_failure_with_the_line_to_write(name: str, value: str) -> None:
    (finding,) = _bad(examine_broker(FakeRedis({**DURABLE, name: value}), place="cache:6379"))

    assert finding.severity is FAILURE
    assert f"{name} is {value}" in finding.text
    assert finding.remedy == f"set `{name} {DURABLE[name]}` in redis.conf"


def test_a_redis_that_does_not_tell_its_settings_is_a_warning() -> None:
    bad = _bad(examine_broker(FakeRedis({}, refuses=True), place="cache:6379"))

    assert [finding.severity for finding in bad] == [WARNING] * 3


def test_a_redis_that_is_away_is_one_failure_without_its_password() -> None:
    (finding,) = examine_broker(AwayRedis({}), place="cache:6379")

    assert finding.severity is FAILURE
    assert "c4n4ry" not in finding.text


def test_a_redis_that_is_too_old_is_a_failure() -> None:
    (finding,) = examine_broker(FakeRedis(DURABLE, version="6.0.16"), place="cache:6379")

    assert (finding.severity, "6.0.16" in finding.text) == (FAILURE, True)


@pytest.mark.parametrize("shown", [{"fsync": "off"}, {"synchronous_commit": "off"}, {"full_page_writes": "off"}])
def test_a_postgres_that_may_forget_is_a_failure(shown: dict[str, str]) -> None:
    (finding,) = _bad(examine_server(FakePostgres(**shown)))

    assert finding.severity is FAILURE
    assert finding.remedy


def test_a_postgres_that_is_too_old_is_a_failure() -> None:
    (finding,) = _bad(examine_server(FakePostgres(version=130_012)))

    assert "13.12" in finding.text


def test_migrations_that_have_not_run_are_a_failure_with_the_command() -> None:
    assert examine_migrations([]).severity is FINE
    assert examine_migrations(["0002_more"]).remedy == "run meterpost migrate"


@pytest.mark.parametrize(("ahead_s", "severity"), [(59.0, FINE), (-59.0, FINE), (61.0, FAILURE), (-61.0, FAILURE)])
def test_a_clock_a_minute_off_is_a_failure(ahead_s: float, severity: Severity) -> None:
    (finding,) = examine_clock("Stripe", ahead_s)

    assert finding.severity is severity


def test_a_clock_that_cannot_be_read_is_left_to_the_check_of_its_server() -> None:
    assert examine_clock("Stripe", None) == []


def test_the_pinned_accounts_key_and_usable_meters_are_fine() -> None:
    known = Known(pinned=_pinned("acct_1", is_live=False), meters=["api_requests"])

    assert _bad(examine_stripe(FakeStripe(METER), known)) == []


@pytest.mark.parametrize(("account", "is_live"), [("acct_2", False), ("acct_1", True)])
def test_a_key_of_another_account_or_mode_is_a_failure(account: str, is_live: bool) -> None:  # noqa: FBT001  # parametrized
    (finding,) = _bad(examine_stripe(FakeStripe(METER), Known(pinned=_pinned(account, is_live=is_live))))

    assert (finding.name, finding.severity) == ("stripe key", FAILURE)
    assert f"the ledger of {account} in {'live' if is_live else 'test'} mode" in finding.text


@pytest.mark.parametrize(
    ("meters", "reason"),
    [
        ([], "does not know"),
        ([replace(METER, is_active=False)], "inactive"),
        ([replace(METER, event_time_window="hour")], "event_time_window hour"),
    ],
)
def test_a_meter_that_rows_name_and_that_cannot_be_used_is_a_failure(meters: list[Meter], reason: str) -> None:
    (finding,) = _bad(examine_stripe(FakeStripe(*meters), Known(meters=["api_requests"])))

    assert (finding.name, finding.severity) == ("meters", FAILURE)
    assert reason in finding.text


def test_a_meter_that_no_row_names_may_be_as_it_likes() -> None:
    assert _bad(examine_stripe(FakeStripe(replace(METER, event_time_window="hour")), Known())) == []


@pytest.mark.parametrize("error", [StripeRefused("Invalid API Key"), StripeUnavailable("timed out")])
def test_a_stripe_that_refuses_or_is_away_is_one_failure_with_its_words(error: Exception) -> None:
    (finding,) = examine_stripe(FakeStripe(error=error), Known())

    assert finding.severity is FAILURE
    assert str(error) in finding.text


@pytest.mark.parametrize("timing", PROFILES.values())
def test_the_key_is_examined_under_every_timing(bare: object, timing: Timing) -> None:
    nowhere = replace(load(), stripe_secret_key="sk_test_1", stripe_api_base="http://127.0.0.1:9", timing=timing)

    assert "does not answer" in check_stripe(nowhere)[0].text


def test_no_webhook_secret_is_a_failure(bare: object) -> None:
    (finding,) = check_webhooks(load())

    assert (finding.name, finding.severity) == ("webhook secrets", FAILURE)


def test_a_check_that_takes_too_long_is_given_up_and_the_others_are_told(bare: object) -> None:
    released = threading.Event()
    checks = {"slow": _wait_for(released), "quick": lambda _: [fine("quick", "so")]}

    slow, quick = doctor.run(checks, load(), deadline_s=0.05)
    released.set()

    assert (slow.name, slow.severity) == ("slow", FAILURE)
    assert quick.severity is FINE


def test_a_check_that_breaks_is_a_finding_and_not_the_end(bare: object) -> None:
    def broken(_: Any) -> list[Finding]:
        raise ZeroDivisionError

    (finding,) = doctor.run({"broken": broken}, load())

    assert (finding.severity, "ZeroDivisionError" in finding.text) == (FAILURE, True)


def _wait_for(released: threading.Event) -> Callable[[Any], list[Finding]]:
    def waiting(_: Any) -> list[Finding]:
        released.wait(10)
        return []

    return waiting


def _pinned(account: str, *, is_live: bool) -> PinnedAccount:
    return PinnedAccount("default", account, is_live, None, None)


def test_a_witness_file_that_cannot_be_kept_is_a_failure_with_its_remedy(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METERPOST_WITNESS_FILE", str(bare / "missing" / "witness.json"))

    (found,) = doctor.check_witness(load())

    assert (found.severity, "its directory is not there" in found.text) == (FAILURE, True)
    assert "METERPOST_WITNESS_FILE" in found.remedy


@pytest.mark.parametrize("value", ["", "witness.json"])
def test_a_witness_file_may_be_named_or_left_empty(bare: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("METERPOST_WITNESS_FILE", value)

    assert [found.severity for found in doctor.check_witness(load())] == [FINE]
