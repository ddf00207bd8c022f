"""A customer with thousands of rows costs a turn no more than its part, and no row waits for what does not bill."""

from service.ledger import signups
from service.timing import FAST
from workers.subscribe import LOOKS_A_TRANSACTION_MAX

READ = "INSERT INTO signup_step (signup_id, step, found) SELECT signup_id, 'price', price FROM signup"
WAITING = "SELECT count(*) FROM signup WHERE reason LIKE 'duplicate_subscription: %which comes first'"


def tell_many(shop, rows, **fields):
    """Rows of one customer whose price is read."""
    shop.tell(*[{"row_id": f"s{number}"} for number in range(rows)], customer=shop.customer(), **fields)
    shop.write(READ)
    shop.write("UPDATE signup SET meter_stripe_id = 'mtr_1'")


def others(shop, row_id):
    with shop.ledger.transaction() as tx:
        (signup_id,) = shop.ask(f"SELECT signup_id FROM signup WHERE row_id = '{row_id}'")
        return [(o.signup_id, o.state) for o in signups.facts(tx, signups.signup_now(tx, signup_id)).others]


def test_one_transaction_moves_no_more_than_a_part_and_the_rest_is_due_at_once(shop):
    tell_many(shop, LOOKS_A_TRANSACTION_MAX + 4)
    shop.write("UPDATE signup SET due_at = ledger_now() + interval '10 min' WHERE row_id = 's0'")
    subscriber = shop.another_subscriber(timing=FAST)

    subscriber.turn(shop.lease())

    assert shop.ask(WAITING) == [LOOKS_A_TRANSACTION_MAX]
    assert shop.ask("SELECT due_at <= ledger_now() AND lease_until IS NULL FROM signup_lane") == [True]
    subscriber.turn(shop.lease())
    assert shop.ask(WAITING) == [LOOKS_A_TRANSACTION_MAX + 3]


def test_what_waits_for_one_that_backs_off_comes_due_with_it(shop):
    tell_many(shop, 3)
    shop.write("UPDATE signup SET due_at = ledger_now() + interval '1.5 s' WHERE row_id = 's0'")

    shop.another_subscriber(timing=FAST).turn(shop.lease())

    assert shop.ask(WAITING) == [2]
    assert shop.ask("SELECT max(due_at) - min(due_at) < interval '0.1 s' FROM signup") == [True]


def test_of_many_only_the_first_of_each_state_is_looked_at(shop):
    tell_many(shop, 7)
    shop.write("UPDATE signup SET state = 'created', subscription = row_id, due_at = NULL WHERE row_id IN ('s1', 's4')")
    shop.write("UPDATE signup SET state = 'unknown', ambiguous_since = ledger_now() WHERE row_id IN ('s2', 's6')")

    assert others(shop, "s5") == [(1, "due"), (2, "created"), (3, "unknown")]
    assert others(shop, "s0") == [(2, "created"), (3, "unknown")]


def test_what_stripe_lists_as_ended_hides_none_that_is_not(shop):
    tell_many(shop, 4)
    shop.write("UPDATE signup SET state = 'created', subscription = row_id, due_at = NULL WHERE row_id <> 's3'")
    shop.write(
        "INSERT INTO signup_listing (signup_id, key_number, verdict, subscriptions, ended)"
        " SELECT signup_id, 0, 'clear', '{}', '{s0,s1}' FROM signup WHERE row_id = 's3'"
    )

    assert others(shop, "s3") == [(3, "created")]


def test_a_row_that_is_meant_or_of_another_meter_has_none_beside_it(shop):
    tell_many(shop, 3, allow_duplicate=True)
    assert others(shop, "s2") == []

    shop.tell({"row_id": "x"}, {"row_id": "y"}, customer=shop.customer())
    shop.write("UPDATE signup SET meter_stripe_id = 'mtr_' || row_id WHERE row_id IN ('x', 'y')")
    assert others(shop, "y") == []


def test_a_row_that_is_meant_still_meets_the_same_price_of_another_file(shop):
    tell_many(shop, 3, allow_duplicate=True, import_name="a.csv")
    (customer,) = shop.ask("SELECT customer FROM signup_lane")

    shop.tell({"row_id": "s9"}, customer=customer, allow_duplicate=True, import_name="b.csv")

    assert others(shop, "s9") == [(1, "due")]
