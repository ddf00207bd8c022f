"""Subscription rows go through the door of every row: each once, by one key, and what cannot be read is kept."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from meterpost.rows import NO_UNITS
from meterpost.subscription import from_said
from service.corrections import Correction
from service.invariants import check
from service.ledger.actions import Order
from service.ledger.answers import Acted, Ordered
from service.ledger.remedies import retry
from service.letters import read_letter_id
from service.timing import FAST

NOW = datetime.now(UTC).replace(microsecond=0)
GOOD = {"customer": "cus_1", "price": "price_1", "row_id": "s1"}
EVERYTHING = {
    "trial_days": 14,
    "trial_end_behavior": "pause",
    "backdate_start_date": NOW - timedelta(days=3),
    "billing_cycle_anchor_config": {"day_of_month": 1, "hour": 12},
    "setup_fee": "49.00",
    "currency": "usd",
    "payment_method": "pm_1",
    "collection_method": "send_invoice",
    "days_until_due": 30,
    "coupon": "WELCOME",
    "tax_rates": ["txr_2", "txr_1"],
    "account_tax_ids": ["txi_1"],
    "customer_tax_ids": [("eu_vat", "DE123")],
    "invoice_memo": "Thank you,\nAda",
    "footer": "日本 👨‍👩‍👧",
    "custom_fields": {"PO number": "4711"},
    "metadata": {"team": "blue", "area": "eu"},
    "cancel_at": "max_period_end",
    "billing_mode": "classic",
    "payment_behavior": "default_incomplete",
    "off_session": False,
    "allow_duplicate": True,
    "import_name": "march.csv",
}


def tell(path, **said):
    path.client.publish_subscriptions([GOOD | said])
    path.record()


def put(path, *rows, sent_at=NOW):
    put_only(path, *rows, sent_at=sent_at)
    path.record()


def put_only(path, *rows, sent_at=NOW):
    message = {"schema": "subscription.1", "sent_at": sent_at.isoformat(), "rows": rows}
    path.put(json.dumps(message).encode())


def refuse(path, row_id="s1", state="refused"):
    path.write(f"UPDATE signup SET state = '{state}', reason = 'no', due_at = NULL WHERE row_id = '{row_id}'")


def states(path):
    return dict(path.ask("SELECT row_id, state FROM signup"))


def reason_of(path, row_id):
    return path.ask(f"SELECT reason FROM signup WHERE row_id = '{row_id}'")[0]


def intakes(path):
    return path.ask("SELECT rows, recorded, duplicates, conflicts, quarantined FROM intake ORDER BY intake_id")


def breaches(path):
    with path.ledger.transaction() as tx:
        return [one for one in check(tx, timing=FAST) if one.invariant in {"rows", "intakes"}]


def test_signups_are_numbered_as_they_were_told(path):
    put(path, *({**GOOD, "row_id": row_id} for row_id in ("z", "m", "a", "m")))
    assert path.ask("SELECT row_id FROM signup ORDER BY signup_id") == ["z", "m", "a"]


def retried(path, **set_to):
    (letter,) = path.ask("SELECT 'q-' || max(quarantine_id) FROM quarantine")
    with path.ledger.transaction() as tx:
        ordered = Ordered(tx=tx, letter=read_letter_id(letter), order=Order(actor="ada", reason="because"))
        return retry(ordered, correction=Correction(set_to=set_to), timing=FAST, units=NO_UNITS)


def wait_for_waiting(path):
    """Until somebody waits for a lock."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    assert any(path.ask(waiting) for _ in range(10_000))


def test_all_that_a_row_says_stands_on_the_books_and_reads_back_as_it_was_said(path):
    tell(path, **EVERYTHING)

    ((said, identifier, name, source),) = path.ask("SELECT said, identifier, import_name, source FROM signup")
    row = from_said(said, account="default", source=source, row_id="s1", import_name=name)
    assert (row.said, row.identifier) == (said, identifier)
    assert EVERYTHING.keys() - said.keys() == {"import_name"}
    assert row.backdate_start_date == EVERYTHING["backdate_start_date"]


def test_a_row_told_three_times_and_by_two_at_once_is_one_signup(path, another_recorder):
    for _ in range(3):
        path.client.publish_subscriptions(GOOD | {"row_id": f"s{n}", "customer": f"cus_{n % 7}"} for n in range(200))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda recorder: [recorder.record_some() for _ in range(3)], [path.recorder, another_recorder]))

    assert path.ask("SELECT count(*), count(DISTINCT identifier), count(DISTINCT signup_lane_id) FROM signup") == [
        (200, 200, 7)
    ]
    assert [sum(column) for column in zip(*intakes(path), strict=True)] == [600, 200, 400, 0, 0]


def test_a_new_signup_makes_its_customers_lane_due(path):
    path.write("INSERT INTO signup_lane (account, customer) VALUES ('default', 'cus_2')")
    tell(path)
    tell(path, row_id="s2", customer="cus_2")
    assert path.ask("SELECT customer FROM signup_lane WHERE due_at <= ledger_now() ORDER BY customer") == [
        "cus_1",
        "cus_2",
    ]


def test_a_row_told_otherwise_is_a_conflict_that_keeps_both_and_the_first_counts(path):
    tell(path, trial_days=14)
    tell(path, trial_days=30)
    assert path.ask("SELECT said->'trial_days' FROM signup") == [14]
    assert path.ask("SELECT row_id, meter, said->'trial_days' FROM row_conflict") == [("s1", None, 30)]
    assert intakes(path) == [(1, 1, 0, 0, 0), (1, 0, 0, 1, 0)]


@pytest.mark.parametrize("first", ["usage", "subscription"])
def test_usage_and_a_subscription_under_one_id_are_a_conflict_whichever_came_first(path, first):
    tellers = [
        ("usage", lambda: path.client.usage("cus_1", "tokens", 1, row_id="s1")),
        ("subscription", lambda: path.client.subscription("cus_1", "price_1", row_id="s1")),
    ]
    for _, teller in sorted(tellers, key=lambda kind: kind[0] != first):
        teller()
        path.record()

    (counts,) = path.ask("SELECT (SELECT count(*) FROM entry), (SELECT count(*) FROM signup) FROM ledger_clock")
    assert counts == ((1, 0) if first == "usage" else (0, 1))
    assert path.ask("SELECT said IS NULL FROM row_conflict") == [first != "usage"]
    assert breaches(path) == []


def test_a_batch_of_both_kinds_is_recorded_by_one_claim(path):
    with path.client.batch() as batch:
        batch.usage("cus_1", "tokens", 1)
        batch.subscription("cus_1", "price_1")
    path.record()
    assert intakes(path) == [(1, 1, 0, 0, 0)] * 2
    assert breaches(path) == []


def test_a_bad_row_is_kept_with_its_schema_and_its_neighbours_are_recorded(path):
    put(path, GOOD | {"trial_days": 1.5}, GOOD | {"row_id": "s2"})
    assert states(path) == {"s2": "due"}
    ((raw, field, schema),) = path.ask("SELECT raw, field, schema FROM quarantine")
    assert (json.loads(raw)["trial_days"], field, schema) == (1.5, "trial_days", "subscription.1")
    assert intakes(path) == [(2, 1, 0, 0, 1)]


def test_a_quarantined_row_is_read_again_by_the_schema_that_it_came_with(path):
    put(path, GOOD | {"trial_days": 1.5, "tax_rates": ["txr_1"]})
    assert "trial_days: " in retried(path, metadata="a=b").text
    assert isinstance(retried(path, trial_days="14", metadata="team=blue"), Acted)
    assert path.ask("SELECT said->'trial_days', said->'metadata'->>'team' FROM signup") == [(14, "blue")]
    assert path.ask("SELECT row_id FROM replayed_row") == ["s1"]
    assert breaches(path) == []


def test_a_quarantined_row_whose_id_is_taken_stays_on_the_desk(path):
    tell(path)
    put(path, GOOD | {"trial_days": 1.5})
    assert "other content" in retried(path, trial_days="1").text
    assert path.ask("SELECT count(*) FROM row_conflict") == [0]


def test_a_row_that_waited_in_the_queue_until_its_anchor_was_past_is_still_the_row_that_was_told(path):
    anchored = GOOD | {"billing_cycle_anchor": (NOW - timedelta(minutes=5)).isoformat()}
    put(path, anchored, sent_at=NOW - timedelta(minutes=10))
    put(path, anchored, sent_at=NOW - timedelta(minutes=10))
    assert intakes(path) == [(1, 1, 0, 0, 0), (1, 0, 1, 0, 0)]


@pytest.mark.parametrize("state", ["refused", "blocked"])
def test_a_corrected_row_closes_the_one_that_it_replaces_whoever_its_customer_was(path, state):
    tell(path)
    refuse(path, state=state)
    tell(path, row_id="s2", customer="cus_2", replaces="s1")
    assert states(path) == {"s1": "replaced", "s2": "due"}
    assert path.ask("SELECT n.row_id FROM signup AS n JOIN signup AS o ON o.signup_id = n.replaces") == ["s2"]


@pytest.mark.parametrize("state", ["due", "unknown", "held", "conflict", "created"])
def test_a_row_that_replaces_what_may_be_made_is_blocked_and_says_so(path, state):
    tell(path)
    steps = {"due": [], "unknown": ["unknown"], "held": ["unknown", "held"], "conflict": ["conflict"]}
    for step in steps.get(state, [state]):
        is_due = "ledger_now()" if step in {"unknown", "held"} else "NULL"
        path.write(f"UPDATE signup SET state = '{step}', reason = 'r', due_at = {is_due}, subscription = 'sub_1'")
    tell(path, row_id="s2", replaces="s1")
    assert states(path) == {"s1": state, "s2": "blocked"}
    assert ("sub_1" if state == "created" else f"which is {state}") in reason_of(path, "s2")


def test_a_row_that_replaces_what_is_just_being_asked_for_is_blocked(path):
    tell(path)
    refuse(path)
    path.write(
        "INSERT INTO signup_attempt (signup_lane_id, signup_id, step, fence)"
        " SELECT signup_lane_id, signup_id, 'create', 1 FROM signup"
    )
    tell(path, row_id="s2", replaces="s1")
    assert states(path) == {"s1": "refused", "s2": "blocked"}


def test_of_two_rows_that_replace_one_the_first_does(path):
    tell(path)
    refuse(path)
    put(path, *(GOOD | {"row_id": row_id, "replaces": "s1"} for row_id in ("s9", "s2")))
    tell(path, row_id="s3", replaces="s1")
    assert states(path) == {"s1": "replaced", "s9": "due", "s2": "blocked", "s3": "blocked"}
    assert "another row replaces too" in reason_of(path, "s2")
    assert "replaced before" in reason_of(path, "s3")


@pytest.mark.parametrize("unknown", ["nobody", "usage-1"])
def test_a_row_that_replaces_no_subscription_row_is_blocked(path, unknown):
    path.client.usage("cus_1", "tokens", 1, row_id="usage-1")
    tell(path, replaces=unknown)
    assert states(path) == {"s1": "blocked"}
    assert reason_of(path, "s1") == f"it replaces {unknown}, and no subscription row of app has that id"
    assert path.ask("SELECT due_at FROM signup_lane") == [None]


def test_the_same_correction_told_twice_is_a_duplicate(path):
    tell(path)
    refuse(path)
    tell(path, row_id="s2", replaces="s1")
    tell(path, row_id="s2", replaces="s1")
    assert states(path) == {"s1": "replaced", "s2": "due"}


def test_a_correction_and_a_retry_at_once_never_both_go_on(path):
    tell(path)
    refuse(path)
    path.client.publish_subscriptions([GOOD | {"row_id": "s2", "replaces": "s1"}])
    with path.ledger.transaction() as tx, ThreadPoolExecutor(1) as pool:
        tx.execute("UPDATE signup SET state = 'due', reason = NULL, due_at = ledger_now()")
        recorded = pool.submit(path.record)
        wait_for_waiting(path)
        tx.commit()
        recorded.result()
    assert states(path) == {"s1": "due", "s2": "blocked"}


def test_a_claim_of_many_subscriptions_is_several_intakes_so_that_no_lane_is_locked_for_long(path, monkeypatch):
    monkeypatch.setattr("workers.record.SIGNUPS_MAX", 2)
    for number in range(3):
        put_only(path, *(GOOD | {"row_id": f"s{number}-{n}"} for n in range(2)))
    path.client.usage("cus_1", "tokens", 1)
    path.record()
    assert path.ask("SELECT messages, recorded FROM intake ORDER BY intake_id") == [(1, 1), (1, 2), (1, 2), (1, 2)]


def test_a_thousand_rows_of_a_thousand_customers_are_one_intake(path):
    path.client.publish_subscriptions(GOOD | {"row_id": f"s{n}", "customer": f"cus_{n}"} for n in range(1000))
    path.record()
    assert intakes(path) == [(1000, 1000, 0, 0, 0)]


def test_a_key_of_both_kinds_and_a_signup_that_is_gone_break_an_invariant(path):
    tell(path)
    path.write("ALTER TABLE signup DISABLE TRIGGER ALL; DELETE FROM signup; ALTER TABLE signup ENABLE TRIGGER ALL")
    assert {one.invariant for one in breaches(path)} == {"rows", "intakes"}
