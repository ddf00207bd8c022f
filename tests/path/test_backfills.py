"""Backfills from file to Stripe and back: nothing counts before the close, and nothing is left after the revert."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path as File

import pytest

from cli.main import run
from service import invariants
from service.limiter import Unlimited
from workers._cancelling import Canceller
from workers._second_readings import SecondReader

HEADER = "timestamp,event_name,payload_stripe_customer_id,payload_value"
ROOT = File(__file__).parents[2]
HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
REASON = ("--reason", "the outage of march")


class Backfilling:
    """The commands, the files that they read, and the steps that follow."""

    def __init__(self, path, directory):
        self.path = path
        self.file = directory / "rows.csv"
        timing = path.settings.timing
        self.reader = SecondReader(path.ledger, path.gateway, "default", timing=timing)
        self.canceller = Canceller(path.ledger, path.gateway, Unlimited(), account="default", timing=timing)

    def write(self, *rows):
        """Rows of (hours ago, customer, value), or of (hours ago, customer, value, meter)."""
        now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        lines = [
            f"{int((now - timedelta(hours=ago)).timestamp())},{(*more, 'tokens')[0]},{customer},{value}"
            for ago, customer, value, *more in rows
        ]
        self.file.write_text("\n".join([HEADER, *lines, ""]))
        return str(self.file)

    def run(self, *arguments):
        return run(["backfill", *arguments])

    def fill(self, *rows, name="march"):
        self.run("open", name)
        return self.run("add", name, self.write(*rows))

    def live_on(self, *, minutes=6):
        """The steps, with the doors of all buckets open at once."""
        for _ in range(minutes):
            self.path.write("UPDATE unsealed SET seal_at = ledger_now() - interval '1 s' WHERE bucket < ledger_now()")
            self.path.walk()
            while self.canceller.cancel_due() + self.reader.read_again_due():
                pass
            self.path.pass_time(minutes=1)

    def state(self):
        return self.path.ask("SELECT state FROM backfill")[0]

    def told(self):
        return dict(self.path.ask("SELECT state, count(*) FROM backfill_row GROUP BY state"))


@pytest.fixture
def filling(path, tmp_path):
    path.make_meter("tokens")
    return Backfilling(path, tmp_path)


def test_nothing_of_a_staged_row_counts(path, filling):
    customer = path.make_customer()
    assert filling.fill((3, customer, 5), (2, customer, 7)) == 0

    filling.live_on(minutes=1)

    assert (filling.told(), path.counted()) == ({"staged": 2}, {})
    assert path.ask("SELECT 1 FROM entry") == []


def test_closed_its_rows_count_and_reverted_they_count_no_more(path, filling):
    customer = path.sealed(100)
    filling.fill((3, customer, 5), (2, customer, 7))

    filling.run("close", "march", *REASON)
    filling.live_on()
    counted = path.counted()
    filling.run("revert", "march", *REASON)
    filling.live_on()

    assert counted == {(customer, "tokens"): "112"}
    assert path.counted() == {(customer, "tokens"): "100"}
    assert filling.state() == "reverted"
    assert path.ask("SELECT verb, subject FROM operator_action") == [
        ("close", "backfill march"),
        ("revert", "backfill march"),
    ]


def test_the_same_file_again_stages_only_what_is_new(path, filling):
    customer = path.make_customer()
    filling.fill((3, customer, 5), (3, customer, 5))
    filling.fill((3, customer, 5), (3, customer, 5), (3, customer, 5), (2, customer, 1))
    assert filling.told() == {"staged": 4}


def test_a_producers_own_row_is_told_apart_by_its_id(path, filling, producers, capsys):
    customer, at = path.sealed(1), HOUR.isoformat()
    for row_id in ("a", "b"):
        path.client.usage(customer, "tokens", 5, occurred_at=at, row_id=row_id)
    path.record()

    filling.run("open", "march")
    assert filling.run("add", "march", producers(customer, a=5, b=6, c=1.5)) == 0
    said = capsys.readouterr().err
    filling.run("close", "march", *REASON)

    assert "1 rows are recorded already, and would count nothing more" in said
    assert "1 rows are recorded already with other content" in said
    assert filling.told() == {"duplicate": 1, "conflict": 1, "recorded": 1}
    assert path.ask("SELECT sum(value) FROM entry") == [12.5]


def test_what_cannot_be_billed_is_left_out_with_the_reason(path, filling):
    customer = path.make_customer()
    path.make_meter("closed_one")
    path.sealed(1, customer=customer)
    path.sealed(1, customer=customer, meter="closed_one")
    closed(path, customer, "closed_one")
    filling.fill((35 * 24, customer, 1), (3, customer, 2, "closed_one"), (3, customer, 3, "unheard"), (3, customer, 4))

    filling.run("close", "march", *REASON)

    reasons = path.ask("SELECT value, reason FROM backfill_row WHERE state = 'left_out' ORDER BY value")
    assert [value for value, _ in reasons] == [1, 2, 3]
    assert reasons[0][1].startswith("too old")
    assert reasons[1][1].startswith("late: the invoice in_1")
    assert reasons[2][1].startswith("its meter is not known as active")


def test_a_close_that_was_killed_in_the_middle_goes_on(path, filling):
    customer = path.make_customer()
    path.sealed(1, customer=customer)
    filling.fill(*((hour % 48 + 2, customer, number + 1) for number, hour in enumerate(range(2_500))))

    killed = command("backfill", "close", "march", *REASON, crash="desk.before_commit:kill:3")
    halfway = path.ask("SELECT count(*) FROM entry WHERE source = 'backfill/march'")
    assert filling.run("close", "march", *REASON) == 0

    assert (killed, halfway) == (-signal.SIGKILL, [1_000])
    assert path.ask("SELECT count(*), sum(value) FROM entry WHERE source = 'backfill/march'") == [
        (2_500, sum(range(1, 2_501)))
    ]
    assert (filling.state(), path.ask("SELECT count(*) FROM operator_action")) == ("closed", [1])


def test_a_revert_that_was_killed_in_the_middle_goes_on(path, filling):
    customer = path.make_customer()
    path.sealed(1, customer=customer)
    filling.fill(*((hour % 48 + 2, customer, number + 1) for number, hour in enumerate(range(2_500))))
    filling.run("close", "march", *REASON)

    killed = command("backfill", "revert", "march", *REASON, crash="desk.before_commit:kill:3")
    assert filling.run("revert", "march", *REASON) == 0
    assert filling.run("revert", "march", *REASON) == 0

    assert killed == -signal.SIGKILL
    assert path.ask("SELECT sum(value), count(*) FROM entry WHERE source <> 'app'") == [(0, 5_000)]
    assert path.ask("SELECT count(*) FROM correction WHERE kind = 'reverted'") == [2_500]


def test_what_may_or_may_not_count_waits_for_the_revert(path, filling):
    customer = path.make_customer()
    path.sealed(1, customer=customer)
    filling.fill((3, customer, 5))
    filling.run("close", "march", *REASON)
    filling.live_on(minutes=1)
    path.write("UPDATE meter_event SET state = 'conflict', reason = 'a test' WHERE value = 5")

    assert filling.run("revert", "march", *REASON) == 3

    assert (filling.state(), filling.told()) == ("reverting", {"recorded": 1})


def test_counts_cannot_be_reverted_and_are_kept(path, filling):
    customer = path.make_customer()
    path.make_meter("calls", formula="count")
    path.sealed(1, customer=customer, meter="calls")
    filling.fill((3, customer, 1, "calls"))
    filling.run("close", "march", *REASON)

    assert filling.run("revert", "march", *REASON) == 0

    assert filling.told() == {"kept": 1}


def test_five_thousand_rows_over_twenty_days_leave_nothing_behind(path, filling, twenty_days):
    """The acceptance of corrections as a whole; 150 calls to the sandbox, each way, take seconds."""
    start = path.counted()
    filling.fill(*twenty_days)
    filling.run("close", "march", *REASON)
    filling.live_on()

    inside, outside = path.ask("SELECT 'me-' || meter_event_id FROM meter_event WHERE entries > 1 ORDER BY 1 LIMIT 2")
    assert run(["correct", inside, *REASON]) == 0
    filling.live_on()
    path.pass_time(hours=24)
    assert run(["correct", outside, "--by", "-3", *REASON]) == 0
    filling.live_on()
    assert filling.run("revert", "march", *REASON) == 0
    filling.live_on()

    assert path.counted() == start
    agree(path)


@pytest.fixture
def twenty_days(path, filling):
    """Five thousand rows of three customers who have used ten each so far."""
    customers = [path.sealed(10) for _ in range(3)]
    filling.live_on(minutes=1)
    hours = [3 + 479 * number // 5_000 for number in range(5_000)]
    return [(hour - hour % 24 + 3, customers[number % 3], 1 + number % 7) for number, hour in enumerate(hours)]


@pytest.fixture
def producers(tmp_path):
    """A file of rows that tell their ids, all of one hour."""

    def write(customer, **values):
        usual = {"customer": customer, "meter": "tokens", "occurred_at": HOUR.isoformat(), "source": "app"}
        rows = [usual | {"row_id": row_id, "value": value} for row_id, value in values.items()]
        file = tmp_path / "rows.ndjson"
        file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        return str(file)

    return write


def agree(path):
    """The auditor's totals are the ledger's, the ledger breaches nothing, and the trail of actions is whole."""
    ours = path.ask(
        "SELECT customer, sum(value)::text FROM meter_event JOIN lane USING (lane_id) WHERE state = 'confirmed'"
        " GROUP BY customer"
    )
    assert {customer: value for (customer, _), value in path.counted().items()} == dict(ours)
    with path.ledger.transaction() as tx:
        assert invariants.check(tx, timing=path.settings.timing) == []
    assert run(["dead", "audit"]) == 0
    assert set(path.states()) == {"confirmed", "cancelled"}
    assert path.audit()["applied_twice"] == []


def command(*arguments, crash):
    """The command in a process of its own, which dies at that place."""
    environment = os.environ | {"METERPOST_CRASH_POINT": crash}
    ran = subprocess.run(
        [sys.executable, "-c", "from cli.main import main; main()", *arguments], cwd=ROOT, env=environment, check=False
    )
    return ran.returncode


def closed(path, customer, meter):
    """All of its time until now is on a final invoice."""
    path.write(
        "INSERT INTO stretch (account, item, price, starts_at, ends_at, subscription, customer, meter_stripe_id,"
        " is_trial, invoice, closed_at) SELECT 'default', 'si_1', 'price_1', now() - interval '30 days', now(),"
        f" 'sub_1', '{customer}', stripe_id, false, 'in_1', now() FROM meter WHERE meter = '{meter}'"
    )
