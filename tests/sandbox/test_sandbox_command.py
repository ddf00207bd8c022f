"""The command `meterpost-sandbox`: what it asks of a running sandbox, and what it says when there is none."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.cli.journey import travel

PROGRAM = [sys.executable, "-m", "sandbox"]
Ran = subprocess.CompletedProcess


def ran(*words: str, url: str | None = None) -> "Ran[str]":
    env = os.environ | ({"METERPOST_SANDBOX_URL": url} if url else {})
    return subprocess.run([*PROGRAM, *words], capture_output=True, text=True, check=False, env=env)


@pytest.fixture
def command(own_sandbox: Any) -> Callable[..., Any]:
    """Runs a command against a sandbox of the test's own; its answer as JSON."""

    def run(*words: str) -> Any:
        done = ran(*words, "--json", url=own_sandbox.url)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture
def nowhere() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize(("said", "seconds"), [("90s", 90), ("36h", 129_600), ("31d", 2_678_400), ("15m", 900)])
def test_the_clock_advances_by_a_duration(command: Any, said: str, seconds: int) -> None:
    before = command("clock", "freeze")["now"]
    assert command("clock", "advance", said)["now"] == before + seconds


def test_the_clock_jumps_to_a_date(command: Any) -> None:
    command("clock", "freeze")
    assert command("clock", "to", "2030-01-01")["now"] == 1_893_456_000


def test_the_clock_runs_at_a_speed(command: Any) -> None:
    assert command("clock", "run", "--speed", "60")["speed"] == 60


def test_the_clock_is_shown_as_a_date_to_people(own_sandbox: Any) -> None:
    own_sandbox.control("POST", "clock", frozen=True, to=1_893_456_000)
    assert "2030-01-01T00:00:00Z" in ran("clock", "show", "--url", own_sandbox.url).stdout


def test_a_fault_is_added_listed_and_cleared(command: Any) -> None:
    added = command("fault", "add", "rate_limited", "--share", "0.5", "--reason", "global-rate")
    assert [fault["id"] for fault in command("fault", "list")["data"]] == [added["id"]]
    assert command("fault", "clear", added["id"])["data"] == []


def test_a_field_of_another_kind_of_fault_is_refused_with_its_name(own_sandbox: Any) -> None:
    done = ran("fault", "add", "rate_limited", "--delay", "3", url=own_sandbox.url)
    assert (done.returncode, done.stderr) == (1, "Error: delay_s is nothing of a fault of kind rate_limited\n")


def test_switches_are_set_by_name(command: Any) -> None:
    command("settings", "set", "limits=live", "summary_lag_s=60")
    told = command("settings", "show")
    assert (told["limits"], told["summary_lag_s"]) == ("live", 60)


def test_the_audit_is_read(command: Any, own_shop: Any) -> None:
    own_shop.meter()
    own_shop.send(own_shop.customer(), "2.5")
    assert [total["value"] for total in command("audit", "totals")["data"]] == ["2.5"]
    assert [minute["events"] for minute in command("audit", "minutes")["data"]] == [1]
    assert len(command("audit", "calls")["data"]) == 3
    assert command("audit", "report", "--account", own_shop.account)["applied"] == 1


def test_a_list_is_a_table_to_people(own_shop: Any) -> None:
    own_shop.customer()
    header, row = ran("audit", "calls", url=own_shop.sandbox.url).stdout.splitlines()
    assert header.split()[:2] == ["number", "at"]
    assert "/v1/customers" in row


def test_an_address_where_no_sandbox_answers_is_one_sentence(nowhere: str) -> None:
    done = ran("clock", "show", "--url", nowhere)
    told = f"Error: no sandbox answers at {nowhere}; start one with `meterpost-sandbox serve`, or name another with"
    assert (done.returncode, done.stderr) == (1, f"{told} --url\n")


def test_what_is_no_address_is_one_sentence() -> None:
    done = ran("clock", "show", "--url", "sandbox")
    assert (done.returncode, done.stderr) == (1, "Error: sandbox is no address such as http://127.0.0.1:12111\n")


@pytest.mark.parametrize("said", ["soon", "3w", "-5s", "", "1e9"])
def test_what_is_no_duration_is_an_error_of_usage(said: str) -> None:
    assert ran("clock", "advance", "--", said).returncode == 2


def test_a_switch_can_be_set_at_the_start(start_sandbox: Any) -> None:
    with start_sandbox("--set", "summary_lag_s=7", "--set", "limits=live") as sandbox:
        told = sandbox.control("GET", "settings")
    assert (told["summary_lag_s"], told["limits"]) == (7, "live")


@pytest.mark.parametrize("said", ["nothing=1", "limits", "limits=some", "summary_lag_s=soon"])
def test_a_switch_that_is_none_keeps_a_sandbox_from_starting(said: str) -> None:
    assert ran("serve", "--set", said).returncode == 2


@pytest.mark.parametrize("group", ["clock", "fault", "webhook", "audit", "settings", "key", "reset"])
def test_every_help_shows_examples(group: str) -> None:
    assert f"  meterpost-sandbox {group} " in ran(group, "--help").stdout


def test_serve_listens_where_the_other_commands_look() -> None:
    said = ran("serve", "--help").stdout
    assert "[default: 12111;" in said
    assert "http://127.0.0.1:12111" in " ".join(ran("clock", "show", "--help").stdout.split())


def test_a_key_of_another_account_is_added_and_revoked(command: Any) -> None:
    assert command("key", "add", "sk_live_x", "--account", "acct_x", "--live")["livemode"] is True
    assert command("key", "revoke", "sk_live_x")["revoked"] is True


def test_a_reset_forgets_everything(command: Any, own_shop: Any) -> None:
    own_shop.customer()
    command("reset")
    assert command("audit", "calls")["data"] == []


def test_a_reset_of_one_account_keeps_the_others(command: Any, own_shop: Any) -> None:
    customer = own_shop.customer()
    command("reset", "--account", "acct_sandbox")
    assert own_shop.v1.customers.retrieve(customer).id == customer


def test_a_fault_of_deliveries_is_added_listed_and_cleared(command: Any) -> None:
    added = command("webhook", "fault", "add", "shuffle", "--type", "invoice.*", "--delay", "10m")
    assert (added["type"], added["delay_s"]) == ("invoice.*", 600)
    assert command("webhook", "fault", "list")["data"] == [added]
    assert command("webhook", "fault", "clear")["data"] == []


def test_an_event_is_triggered_delivered_again_and_listed(command: Any, own_shop: Any, receiver: Any) -> None:
    endpoint = own_shop.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    said = ("trigger", "invoice.paid", "--account", own_shop.account, "--object", '{"id": "in_1"}')
    event = command("webhook", *said)["id"]
    assert command("webhook", "deliver", event, "--times", "2")["statuses"] == [200, 200]
    assert command("webhook", "resend", event, endpoint.id)["status"] == 200
    assert {made["event"] for made in command("webhook", "deliveries")["data"]} == {event}


def test_a_thin_event_is_triggered(command: Any) -> None:
    event = command("webhook", "trigger-thin", "v1.billing.meter.no_meter_found", "--data", '{"a": 1}')
    assert (event["object"], event["data"]) == ("v2.core.event", {"a": 1})


def test_a_secret_is_rolled(command: Any, own_shop: Any) -> None:
    wanted: Any = {"url": "http://127.0.0.1:9/", "enabled_events": ["*"]}
    endpoint = own_shop.v1.webhook_endpoints.create(wanted)
    rolled = command("webhook", "roll-secret", endpoint.id, "--expires-in", "1h")
    assert rolled["secret"] not in ("", endpoint.secret)


@pytest.mark.parametrize("said", ["{", "[]", "soon"])
def test_what_is_no_json_object_is_an_error_of_usage(said: str) -> None:
    assert ran("webhook", "trigger", "invoice.paid", "--object", said).returncode == 2


@pytest.mark.parametrize("url", ["http://127.0.0.1:port", "http://", "http://[::1", "localhost:12111"])
def test_an_address_that_cannot_be_is_one_sentence(url: str) -> None:
    done = ran("clock", "show", "--url", url)
    assert (done.returncode, done.stderr) == (1, f"Error: {url} is no address such as http://127.0.0.1:12111\n")


def test_a_long_jump_tells_where_it_has_got_to(own_shop: Any, receiver: Any) -> None:
    own_shop.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.created"]})
    told: list[str] = []
    has_told = threading.Event()
    receiver.note = lambda *_: 200 if has_told.wait(10) else 500
    own_shop.customer()
    travel(own_shop.sandbox.url, tell=lambda at: (told.append(at), has_told.set())[1], progress_s=0.01, advance=60)
    assert told[0].endswith("Z")


def test_a_thin_event_is_delivered_again(command: Any, own_sandbox: Any) -> None:
    event = command("webhook", "trigger-thin", "v1.billing.meter.no_meter_found")["id"]
    assert command("webhook", "deliver", event)["statuses"] == []


def test_a_switch_that_is_none_is_one_sentence(own_sandbox: Any) -> None:
    done = ran("settings", "set", "nothing=1", url=own_sandbox.url)
    told = "Error: nothing is no switch; `meterpost-sandbox settings show` lists them\n"
    assert (done.returncode, done.stderr) == (1, told)


def test_people_are_told_the_switches_that_they_set(own_sandbox: Any) -> None:
    done = ran("settings", "set", "limits=live", "summary_lag_s=60", url=own_sandbox.url)
    assert done.stdout.splitlines() == ["limits         live", "summary_lag_s  60"]
