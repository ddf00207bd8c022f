"""No question of the watcher walks through what is confirmed, however much of it there is."""

from datetime import timedelta

import pytest

from service.ledger.connection import sql

FILL = """
INSERT INTO lane (account, customer, meter) SELECT 'default', 'cus_' || n, 'tokens' FROM generate_series(1, 20) AS n;
INSERT INTO meter_event
    (lane_id, meter_stripe_id, formula, bucket, stamped_at, value, entries, payload, is_unbilled, state, accepted_at)
SELECT lane_id, 'mtr_tokens', 'sum', at, at, 3, 4, '{}', false, 'confirmed', at
FROM lane, generate_series(now()::date - 40, now()::date, interval '2 hours') AS at;
ANALYZE
"""


@pytest.mark.parametrize("kind", ["unbilled", "trial", "discarded", "closing", "late", "straddling", "differs"])
def test_a_question_reads_no_confirmed_meter_events(books, kind):
    books.meter()
    books.write(FILL)
    asked = {"account": "default", "urgent_within": timedelta(minutes=30)}
    with books.ledger.transaction() as tx:
        plan = [line for (line,) in tx.execute(b"EXPLAIN " + sql(f"alarming_{kind}"), asked).fetchall()]

    assert [line for line in plan if "Seq Scan on meter_event" in line] == []
