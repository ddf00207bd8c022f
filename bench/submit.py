"""`python -m bench.submit`: how many calls a second one submit process makes, and what each costs in processor time.

The process runs as it does in earnest, with its 64 lanes, its ledger, its limiter and its witness, against the sandbox;
meter events are put into the ledger as seal would leave them. Beside it stands the least that can be done: one thread
that makes the same calls over libcurl and writes nothing down.
"""

import json
import os
import sys
import tempfile
import threading
import time
import uuid
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

import click
import psycopg
import pycurl
from rich.console import Console
from rich.table import Table

from local.parent import end_with_parent
from local.stack import SANDBOX_ACCOUNT, Stack
from local.supervisor import Supervisor

METER, CUSTOMERS = "calls", 64
PATIENCE_S, POLL_S = 300, 0.05
WARM_UP = 256  # meter events that are sent before anything is measured: connections, imports, plans
SETTINGS = {
    "METERPOST_TIMING": "fast",
    "METERPOST_LOG_FORMAT": "json",
    "METERPOST_METER_EVENTS_PER_S": "100000",
    "METERPOST_CALLS_PER_S": "1000",
    "METERPOST_SUBMIT_THREADS": str(CUSTOMERS),
}
ONLY_SUBMIT = {"web": 0, "record": 0, "seal": 0, "reconcile": 0, "apply": 0}
CALLS = "/v1/billing/meter_events"
LANES = """
INSERT INTO lane (account, customer, meter)
SELECT 'default', unnest(%s::text[]), %s
"""
METER_EVENTS = """
WITH numbered AS (
    SELECT lane_id, customer, generate_series(1, %(each)s) AS n FROM lane
), made AS (
    INSERT INTO meter_event (
        lane_id, meter_stripe_id, formula, bucket, stamped_at, value, entries, payload, is_unbilled, state, due_at
    )
    SELECT lane_id, 'mtr', 'count', date_trunc('hour', now()), date_trunc('hour', now()), 1, 1,
        jsonb_build_object('stripe_customer_id', customer, 'value', '1'), false, 'sealed', now()
    FROM numbered
    RETURNING meter_event_id
), named AS (
    INSERT INTO generation (meter_event_id, generation, identifier)
    SELECT meter_event_id, 1, new_identifier(meter_event_id, 1) FROM made
)
UPDATE lane SET due_at = now()
"""
SENT = "SELECT count(*) FROM meter_event WHERE state = 'accepted'"
SPAN = "SELECT extract(epoch FROM max(ended_at) - min(started_at))::float8 FROM attempt WHERE attempt_id > %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    what: str
    calls: int
    per_s: int
    cpu_ms_a_call: float


@click.command()
@click.option("--calls", default=6_400, show_default=True, help="How many meter events are sent.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def main(calls: int, *, as_json: bool) -> None:
    """Measure one submit process; exit 1 when it did not send everything."""
    end_with_parent()
    with tempfile.TemporaryDirectory(prefix="meterpost-bench-") as scratch:
        env = {"PATH": os.defpath, "HOME": scratch, **SETTINGS}
        with Stack(with_sandbox=True, env=env) as stack:
            stack.migrate()
            customers = _open(stack)
            bare = _bare(stack, customers[0], calls=calls // 4)
            submit = _submit(stack, stack.start(ONLY_SUBMIT, log_dir=Path(scratch)), customers, calls=calls)
    ratio = round(submit.cpu_ms_a_call / bare.cpu_ms_a_call, 1)
    if as_json:
        click.echo(json.dumps({"figures": [asdict(bare), asdict(submit)], "cpu_ratio": ratio}, indent=2))
    else:
        table = Table("", "calls", "calls/s", "CPU ms a call")
        for each in (bare, submit):
            table.add_row(each.what, f"{each.calls:,}", f"{each.per_s:,}", str(each.cpu_ms_a_call))
        Console().print(table)
        click.echo(f"A call that is written down costs {ratio} times the processor time of one that is not.")
    sys.exit(submit.calls < calls)


def _open(stack: Stack) -> list[str]:
    """The meter and the customers at Stripe; the account and the lanes in the ledger."""
    form = {"display_name": METER, "event_name": METER, "default_aggregation[formula]": "count"}
    curl = pycurl.Curl()
    _post(curl, stack, "/v1/billing/meters", form=form)
    made = [_post(curl, stack, "/v1/customers", form={"name": f"{number}"}) for number in range(CUSTOMERS)]
    customers = [str(json.loads(customer)["id"]) for customer in made]
    with psycopg.connect(stack.env["DATABASE_URL"]) as ledger:
        ledger.execute("INSERT INTO account VALUES ('default', %s, false)", [SANDBOX_ACCOUNT])
        ledger.execute(LANES, [customers, METER])
    return customers


def _bare(stack: Stack, customer: str, *, calls: int) -> Figures:
    """The same calls, one after the other over one connection, and nothing else."""
    curl = pycurl.Curl()
    began_s, cpu_s = time.monotonic(), time.thread_time()
    for _ in range(calls):
        identifier = uuid.uuid4().hex
        form = {
            "event_name": METER,
            "identifier": identifier,
            "payload[stripe_customer_id]": customer,
            "payload[value]": "1",
            "timestamp": str(int(time.time())),
        }
        _post(curl, stack, CALLS, form=form, key=identifier)
    spent_s, cpu_s = time.monotonic() - began_s, time.thread_time() - cpu_s
    return _figures("one thread over libcurl", calls, spent_s=spent_s, cpu_s=cpu_s)


def _submit(stack: Stack, supervisor: Supervisor, customers: list[str], *, calls: int) -> Figures:
    with psycopg.connect(stack.env["DATABASE_URL"], autocommit=True) as ledger:
        _send(ledger, WARM_UP)
        pid = supervisor.pid("submit")
        assert pid is not None, "it has sent something"
        (last,) = ledger.execute("SELECT max(attempt_id) FROM attempt").fetchone() or (0,)
        cpu_s = _cpu_s(pid)
        sent = _send(ledger, calls) - WARM_UP
        cpu_s = _cpu_s(pid) - cpu_s
        (spent_s,) = ledger.execute(SPAN, [last]).fetchone() or (0.0,)
    return _figures(f"submit, {len(customers)} lanes", sent, spent_s=spent_s, cpu_s=cpu_s)


def _send(ledger: psycopg.Connection, calls: int) -> int:
    """Put so many meter events into the ledger and wait until Stripe has them; returns how many it has in all."""
    (before,) = ledger.execute(SENT).fetchone() or (0,)
    ledger.execute(METER_EVENTS, {"each": calls // CUSTOMERS})
    until = time.monotonic() + PATIENCE_S
    sent = before
    while sent < before + calls and time.monotonic() < until:
        threading.Event().wait(POLL_S)
        (sent,) = ledger.execute(SENT).fetchone() or (0,)
    return int(sent)


def _post(curl: pycurl.Curl, stack: Stack, path: str, *, form: dict[str, str], key: str = "") -> bytes:
    answer = BytesIO()
    headers = [f"Authorization: Bearer {stack.env['STRIPE_SECRET_KEY']}", *([f"Idempotency-Key: {key}"] if key else [])]
    curl.setopt(pycurl.URL, stack.env["STRIPE_API_BASE"] + path)
    curl.setopt(pycurl.HTTPHEADER, headers)
    curl.setopt(pycurl.POSTFIELDS, urlencode(form))
    curl.setopt(pycurl.WRITEDATA, answer)
    curl.perform()
    assert curl.getinfo(pycurl.RESPONSE_CODE) == 200, answer.getvalue()
    return answer.getvalue()


def _cpu_s(pid: int) -> float:
    """What a process has used so far, its own and the kernel's for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _figures(what: str, calls: int, *, spent_s: float, cpu_s: float) -> Figures:
    per_s, cpu_ms = round(calls / spent_s), round(1_000 * cpu_s / max(1, calls), 2)
    return Figures(what=what, calls=calls, per_s=per_s, cpu_ms_a_call=cpu_ms)


if __name__ == "__main__":
    main()
