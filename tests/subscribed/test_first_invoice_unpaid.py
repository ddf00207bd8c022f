"""A card that is declined where something is charged at once: by default Stripe makes the subscription all the same."""

import json

from cli.main import run
from tests.subscribed.conftest import Sales


def test_a_declined_card_leaves_an_incomplete_one_that_ends_within_a_day_and_both_are_said(sales: Sales) -> None:
    sales.settings(payments="fail")
    sales.tell(setup_fee="49.00", payment_method=sales.card(), import_name="spring")
    sales.work()
    sales.hear()

    before = followed(sales)
    sales.path.pass_time(days=1)
    sales.hear()

    assert (before, followed(sales)) == ({"incomplete": 1}, {"incomplete_expired": 1})


def followed(sales: Sales) -> dict[str, int]:
    sales.capsys.readouterr()
    run(["subscriptions", "follow", "spring", "--json"])
    states: dict[str, int] = json.loads(sales.capsys.readouterr().out)["states"]
    return states
