"""Whether Stripe's books still say what was confirmed, as `doctor --invariants` asks."""

from service.agreement import compare, confirmed_lanes


def agreement(path):
    """How many hours were compared, and what is said of those that differ."""
    with path.ledger.transaction() as tx:
        compared = [compare(tx, path.gateway, lane) for lane in confirmed_lanes(tx, "default")]
    return sum(one.hours for one in compared), [breach.said for one in compared for breach in one.breaches]


def test_what_stripe_counts_as_we_do_breaches_nothing(path):
    path.sealed(1, 2)
    path.sealed(3)
    path.walk()

    assert agreement(path) == (2, [])


def test_what_was_cancelled_at_stripe_by_hand_is_said_with_both_figures(path):
    path.sealed(5)
    path.walk()
    (identifier,) = path.ask("SELECT identifier FROM generation")
    path.stripe.v1.billing.meter_event_adjustments.create(
        {"type": "cancel", "event_name": "tokens", "cancel": {"identifier": identifier}}
    )

    path.pass_time(hours=1)

    (said,) = agreement(path)[1]

    assert said.endswith("Stripe counts 0, confirmed is 5")


def test_an_hour_in_which_something_is_open_is_not_compared(path):
    customer = path.sealed(5)
    path.walk()
    path.sealed(7, customer=customer)

    assert agreement(path) == (0, [])
