"""Ten thousand rows, twice over: what Stripe's books say equals what can be reckoned from the rows alone."""

import random
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

ROWS = 10_000
CUSTOMERS = 40
METERS = {"tokens": "sum", "seats": "last", "exports": "count"}
WEIGHTS = [80, 15, 5]


def make_rows(customers, hour):
    """Rows of every kind, their times all different, so that the last one of a lane is never a tie."""
    chance = random.Random(20)
    instants = [hour + timedelta(milliseconds=330 * number) for number in range(ROWS)]
    chance.shuffle(instants)
    return [
        {
            "row_id": f"row-{number}",
            "customer": chance.choice(customers),
            "meter": chance.choices(list(METERS), WEIGHTS)[0],
            "value": str(Decimal(chance.randint(-50, 5000)).scaleb(-2)),
            "occurred_at": instant,
        }
        for number, instant in enumerate(instants)
    ]


def reckon(rows):
    """The three formulas over the rows alone: a sum, the last value, a number of rows."""
    lanes = defaultdict(list)
    for row in rows:
        lanes[row["customer"], row["meter"]].append((row["occurred_at"], Decimal(row["value"])))
    formulas = {
        "sum": lambda told: sum(value for _, value in told),
        "last": lambda told: max(told)[1],
        "count": len,
    }
    return {lane: formulas[METERS[lane[1]]](told) for lane, told in lanes.items()}


def heard(path):
    columns = {"sum": "value", "last": "last", "count": "events"}
    return {
        (total["customer"], total["event_name"]): Decimal(total[columns[METERS[total["event_name"]]]])
        for total in path.audit()["totals"]
    }


def test_ten_thousand_rows_of_forty_customers_and_three_meters_end_as_reckoned_from_the_rows(path, an_hour_ago):
    for name, formula in METERS.items():
        path.make_meter(name, formula=formula)
    rows = make_rows([path.make_customer() for _ in range(CUSTOMERS)], an_hour_ago)
    path.keep_live_limits()
    for _ in range(2):
        path.client.publish_many(rows)

    path.walk()

    assert heard(path) == reckon(rows)
    assert set(path.states()) == {"confirmed"}
    assert path.ask("SELECT sum(recorded), sum(duplicates) FROM intake") == [(ROWS, ROWS)]
