"""What a person does about a signup: told what is wrong, retried behind what is done, or left as it stands."""

import json

import pytest

from cli.main import run
from service.corrections import Correction
from service.ledger.answers import Acted, Declined, Unneeded
from service.ledger.desk import Wanted, dead_letters
from service.ledger.remedies import discard, retry


def desk(shop):
    with shop.ledger.transaction() as tx:
        return [(one.letter, one.class_) for one in dead_letters(tx, Wanted())]


def test_a_refusal_is_told_in_stripes_words_and_retried_under_the_next_key(shop):
    customer = shop.tell(coupon="WELCOME")
    shop.work()
    assert desk(shop) == [("su-1", "refused")]
    assert "WELCOME" in shop.ask("SELECT reason FROM signup")[0]
    shop.stripe.v1.coupons.create({"id": "WELCOME", "percent_off": 10, "duration": "once"})

    assert isinstance(shop.order("su-1", retry), Acted)
    shop.work()

    assert shop.states() == {"s1": "created"}
    assert shop.steps() == ["price", "list", "create+", "list", "create+"]
    assert len(shop.made(customer)) == 1
    assert shop.ask("SELECT key_number FROM signup") == [1]


def test_what_is_blocked_is_looked_at_again(shop):
    customer = shop.tell()
    shop.work()
    shop.tell(customer=customer, row_id="s2")
    shop.work()
    assert desk(shop) == [("su-2", "blocked")]
    shop.stripe.v1.subscriptions.cancel(shop.made(customer)[0].id)

    assert isinstance(shop.order("su-2", retry), Acted)
    shop.work()

    assert shop.states() == {"s1": "created", "s2": "created"}


def test_a_persons_word_lets_a_second_subscription_through(shop):
    customer = shop.tell()
    shop.work()
    shop.tell(customer=customer, row_id="s2")
    shop.work()

    assert (
        run(("dead", "retry", "su-2", "--set", "allow_duplicate=true", "--reason", "two sites", "--actor", "ada")) == 0
    )
    shop.work()

    assert shop.states() == {"s1": "created", "s2": "created"}
    assert shop.ask("SELECT verb, actor, subject FROM operator_action") == [("retry", "ada", "su-2")]


@pytest.mark.parametrize("state", ["refused", "blocked", "held", "conflict"])
def test_what_is_discarded_is_never_made(shop, state):
    customer = shop.tell()
    due = "ledger_now()" if state == "held" else "NULL"
    shop.write("UPDATE signup SET state = 'unknown', ambiguous_since = ledger_now()" if state == "held" else "SELECT 1")
    shop.write(f"UPDATE signup SET state = '{state}', reason = 'no', due_at = {due}")

    assert isinstance(shop.order("su-1", discard), Acted)

    assert desk(shop) == []
    assert isinstance(shop.order("su-1", retry), Unneeded)
    shop.work()
    assert shop.made(customer) == []


def test_another_correction_of_a_recorded_row_is_declined(shop):
    shop.tell(coupon="WELCOME")
    shop.work()

    assert isinstance(shop.order("su-1", retry, correction=Correction(set_to={"coupon": "OTHER"})), Declined)

    assert shop.states() == {"s1": "refused"}


def test_a_conflict_is_set_right_at_stripe_and_never_by_another_call(shop):
    shop.tell()
    shop.write("UPDATE signup SET state = 'conflict', reason = 'several', due_at = NULL")

    assert isinstance(shop.order("su-1", retry), Declined)


def test_the_desk_tells_the_whole_story_of_a_signup(shop, capsys):
    shop.tell(coupon="WELCOME")
    shop.work()

    assert run(("dead", "show", "su-1")) == 0

    told = capsys.readouterr().out
    assert "refused" in told
    assert all(word in told for word in ("No such coupon", "create", "status 400", "request req_", "Remedy"))


def test_a_story_in_json_has_its_calls(shop, capsys):
    shop.tell(coupon="WELCOME")
    shop.work()

    assert run(("dead", "show", "su-1", "--json")) == 0

    story = json.loads(capsys.readouterr().out)
    assert story["standing"]["class"] == "refused"
    assert [call["step"] for call in story["signup"]["attempts"]] == ["create", "list", "price"]
