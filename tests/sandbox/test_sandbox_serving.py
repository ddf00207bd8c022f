"""The sandbox as a program: its address, its end, its clock and its ids."""

import base64
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

SERVE = [sys.executable, "-m", "sandbox", "serve"]


def test_a_sandbox_told_to_end_ends_at_once_and_cleanly(start_sandbox: Any) -> None:
    with start_sandbox() as sandbox:
        sandbox.child.send_signal(signal.SIGTERM)
        assert sandbox.child.wait(5) == 0


def test_an_interrupted_sandbox_ends_cleanly(start_sandbox: Any) -> None:
    with start_sandbox() as sandbox:
        sandbox.child.send_signal(signal.SIGINT)
        assert sandbox.child.wait(5) == 0


def test_a_call_in_progress_does_not_keep_a_sandbox_from_ending(start_sandbox: Any, pool: ThreadPoolExecutor) -> None:
    with start_sandbox() as sandbox:
        shop = sandbox.shop()
        shop.fault("latency", delay_s=60, times=1)
        call = pool.submit(shop.customer)
        wait_for_a_call_in_progress(sandbox)
        sandbox.child.terminate()
        assert sandbox.child.wait(5) == 0
        assert call.exception() is not None
        shop.http.close()


def wait_for_a_call_in_progress(sandbox: Any) -> None:
    """Returns once the only fault has struck."""
    deadline = time.monotonic() + 10
    while sandbox.control("GET", "faults")["data"][0]["times"]:
        assert time.monotonic() < deadline


def test_the_same_seed_and_calls_give_the_same_ids(start_sandbox: Any) -> None:
    with start_sandbox("--seed", "7") as one, start_sandbox("--seed", "7") as other:
        events = [sandbox.control("POST", "events", type="a.b", object={}) for sandbox in (one, other)]
    assert events[0]["id"] == events[1]["id"]


def test_another_seed_gives_other_ids(start_sandbox: Any) -> None:
    with start_sandbox("--seed", "7") as one, start_sandbox("--seed", "8") as other:
        events = [sandbox.control("POST", "events", type="a.b", object={}) for sandbox in (one, other)]
    assert events[0]["id"] != events[1]["id"]


def test_objects_are_stamped_by_the_sandboxs_clock(own_shop: Any) -> None:
    now = own_shop.sandbox.control("POST", "clock", frozen=True, advance=10 * 86_400)["now"]
    assert own_shop.v1.customers.create().created == now


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("clock", {"advance": "soon"}),
        ("settings", {"no_such_setting": 1}),
        ("settings", {"limits": "some"}),
        ("settings", {"summary_lag_s": "1"}),
        ("faults", {"kind": "earthquake"}),
        ("faults", {"kind": "latency", "share": 2}),
        ("deliver", {"event": "evt_none"}),
        ("keys", {}),
    ],
)
def test_a_control_that_makes_no_sense_is_refused(shared_sandbox: Any, path: str, asked: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        shared_sandbox.control("POST", path, **asked)
    with refusal.value as answer:
        assert answer.code == 400


def test_the_key_that_the_first_line_tells_opens_the_sandbox_as_the_helps_example_does() -> None:
    with subprocess.Popen([*SERVE, "--port", "0"], stdout=subprocess.PIPE) as child:
        told = json.loads(child.stdout.readline())
        key = base64.b64encode(f"{told['key']}:".encode()).decode()
        asked = urllib.request.Request(told["listening"] + "/v1/customers", b"name=Ada")
        asked.add_header("Authorization", f"Basic {key}")
        with urllib.request.urlopen(asked, timeout=10) as answer:
            assert json.load(answer)["name"] == "Ada"
        child.terminate()


def test_the_help_tells_the_key_and_shows_a_call() -> None:
    said = subprocess.run([*SERVE, "--help"], capture_output=True, text=True, check=True).stdout

    assert "curl http://127.0.0.1:12111/v1/customers -u sk_test_sandbox:" in said


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = subprocess.run([*SERVE, "--port", str(port)], capture_output=True, text=True, check=False)

    reason = f"Error: cannot listen on 127.0.0.1:{port}: Address already in use"
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == f"{reason}; choose another --port (0 for a free one) or --host\n"


def test_a_port_that_cannot_be_is_an_error_of_usage() -> None:
    ran = subprocess.run([*SERVE, "--port", "99999"], capture_output=True, text=True, check=False)

    assert ran.returncode == 2
    assert "0<=x<=65535" in ran.stderr


def test_an_unknown_control_is_not_found(shared_sandbox: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        shared_sandbox.control("GET", "weather")
    with refusal.value as answer:
        assert answer.code == 404
