"""A row's way from the producer's call to Stripe's own books."""

from datetime import timedelta


def test_a_hundred_rows_are_confirmed_by_stripes_own_summaries(path, an_hour_ago):
    path.make_meter("tokens")
    customer = path.make_customer()
    with path.client.batch() as batch:
        for minute in range(50):
            batch.usage(customer, "tokens", 3, occurred_at=an_hour_ago + timedelta(minutes=minute))
            batch.usage(customer, "tokens", "0.5", occurred_at=an_hour_ago + timedelta(minutes=minute))

    path.walk()

    assert path.states() == {"confirmed": 10}
    assert path.counted() == {(customer, "tokens"): "175"}
