"""Drafts that are held open: until their usage is confirmed or their time is up, whatever dies or happens meanwhile."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from service.gateway import NotFound, StripeRefused, StripeUnavailable
from service.ledger import lanes
from service.timing import FAST
from tests.close.conftest import invoice, item, line, second, subscription
from workers._holding import DraftKeeper

DAY_S = 86_400
TIMING = replace(FAST, unread_wait_s=0, lease_s=5)


@dataclass
class Drafts:
    """Stripe's only draft, with all that was asked of it; `loses` is the call whose answer is lost."""

    status_now: str = "draft"
    is_gone: bool = False
    loses: str = ""
    asked: list[str] = field(default_factory=list)

    @property
    def drafts(self) -> "Drafts":
        return self

    def hold(self, _: str) -> str:
        return self._answer("hold")

    def let_go(self, _: str) -> str:
        return self._answer("let go")

    def finalize(self, _: str) -> str:
        if self.status_now != "draft":
            self.asked.append("finalize")
            raise StripeRefused("it is final")
        answer = self.status_now = "paid"
        return self._answer("finalize") and answer

    def status(self, _: str) -> str:
        return self._answer("status")

    def _answer(self, asked: str) -> str:
        self.asked.append(asked)
        if self.is_gone:
            raise NotFound("no such invoice")
        if self.loses == asked:
            self.loses = ""
            raise StripeUnavailable("the answer is lost")
        return self.status_now


@pytest.fixture
def draft(books: Any) -> Any:
    """A draft with one row that is sealed and not sent, and an hour left."""
    books.meter()
    books.tell(subscription(item(end=-0.1)), at=-10)
    books.use(3, at=-1)
    books.seal()
    finalizes_at = books.ask("SELECT extract(epoch FROM ledger_now())::bigint + 3600")[0]
    told = {"status": "draft", "automatically_finalizes_at": finalizes_at, "period_end": second(-0.1)}
    books.tell(invoice(line(start=-10, end=-0.1), **told), at=0)
    return books


@pytest.fixture
def stripe() -> Drafts:
    return Drafts()


def keep(draft: Any, stripe: Drafts, *, hold_s: int = 2 * DAY_S) -> None:
    draft.write("UPDATE draft_hold SET due_at = ledger_now() WHERE ended_at IS NULL")
    DraftKeeper(draft.ledger, stripe, "default", timing=TIMING, hold_s=hold_s).keep_due()


def confirm(draft: Any) -> None:
    draft.accept()
    draft.write("UPDATE meter_event SET state = 'confirmed', confirmed_at = ledger_now()")


def ends(draft: Any) -> Any:
    return draft.ask("SELECT ending, missing_rows FROM draft_hold")


def test_nothing_is_held_where_nobody_says_so(draft, stripe):
    keep(draft, stripe, hold_s=0)

    assert (stripe.asked, ends(draft)) == ([], [])


def test_a_draft_is_held_until_its_usage_is_confirmed_and_no_sooner_than_stripe_would(draft, stripe):
    keep(draft, stripe)
    keep(draft, stripe)
    confirm(draft)
    keep(draft, stripe)
    before_its_time = list(stripe.asked)
    draft.pass_days(3700 / DAY_S)
    keep(draft, stripe)

    assert (before_its_time, stripe.asked, ends(draft)) == (["hold"], ["hold", "finalize"], [("finalized", 0)])


def test_a_draft_whose_time_is_up_is_finalized_with_what_is_missing_written_down(draft, stripe):
    keep(draft, stripe)
    draft.pass_days(2)
    keep(draft, stripe)

    assert (stripe.asked, ends(draft)) == (["hold", "finalize"], [("finalized", 1)])


def test_rows_that_are_not_sealed_yet_are_waited_for(draft, stripe):
    draft.use(1, at=-2)
    keep(draft, stripe)
    confirm(draft)
    draft.pass_days(0.5)
    keep(draft, stripe)

    assert ends(draft) == [(None, None)]


@pytest.mark.parametrize("call", ["hold", "finalize"])
def test_an_answer_that_is_lost_is_asked_for_again_and_changes_nothing(draft, stripe, call):
    stripe.loses = call
    confirm(draft)
    for _ in range(3):
        try:
            keep(draft, stripe)
        except StripeUnavailable:
            continue
        draft.pass_days(3700 / DAY_S)
    keep(draft, stripe)

    assert stripe.asked.count(call) == 2
    assert (ends(draft), stripe.status_now) == ([("finalized", 0)], "paid")


def test_a_draft_that_was_final_when_it_was_to_be_held_is_collected_as_ever(draft, stripe):
    stripe.status_now = "open"
    keep(draft, stripe)

    assert (stripe.asked, ends(draft)) == (["hold", "let go"], [("was final", None)])


@pytest.mark.parametrize("lost", ["hold", "let go"])
def test_one_that_was_final_is_collected_although_our_asking_for_it_had_no_answer_and_its_event_came(
    draft, stripe, lost
):
    stripe.status_now, stripe.loses = "open", lost
    with pytest.raises(StripeUnavailable):
        keep(draft, stripe)
    draft.tell(invoice(line(start=-10, end=-0.1, quantity=3), at=1, status="open"), at=1)
    keep(draft, stripe)

    assert (stripe.asked[-1], ends(draft)) == ("let go", [("was final", None)])
    assert stripe.asked.count("hold") == 1


def test_a_draft_that_a_person_finalizes_is_left_alone(draft, stripe):
    keep(draft, stripe)
    draft.tell(invoice(line(start=-10, end=-0.1, quantity=3), at=1), at=1)
    keep(draft, stripe)

    assert (stripe.asked, ends(draft)) == (["hold"], [("was final", None)])


def test_a_draft_that_is_gone_is_looked_for_no_more(draft, stripe):
    stripe.is_gone = True
    keep(draft, stripe)
    keep(draft, stripe)

    assert (stripe.asked, ends(draft)) == (["hold"], [("gone", None)])


def test_a_finalization_that_stripe_refuses_stands_with_its_words_and_is_asked_for_again(draft, stripe, monkeypatch):
    def refuse(_: str) -> str:
        raise StripeRefused("no tax location")

    keep(draft, stripe)
    confirm(draft)
    draft.pass_days(1)
    with monkeypatch.context() as refusing:
        refusing.setattr(stripe, "finalize", refuse)
        keep(draft, stripe)
    said = draft.ask("SELECT said FROM draft_hold")
    keep(draft, stripe)

    assert (said, ends(draft)) == (["no tax location"], [("finalized", 0)])


def test_what_was_held_is_seen_to_its_end_though_nothing_is_held_any_more(draft, stripe):
    keep(draft, stripe)
    confirm(draft)
    draft.pass_days(1)
    keep(draft, stripe, hold_s=0)

    assert ends(draft) == [("finalized", 0)]


def test_a_hold_that_one_looks_at_is_not_claimed_by_another(draft, stripe):
    keep(draft, stripe)
    draft.write("UPDATE draft_hold SET due_at = ledger_now()")
    keepers = [DraftKeeper(draft.ledger, stripe, "default", timing=FAST, hold_s=DAY_S) for _ in range(2)]

    assert [keeper.keep_due() for keeper in keepers] == [1, 0]


def test_a_draft_rings_for_its_open_buckets_and_puts_its_lanes_first(draft):
    draft.write("UPDATE meter_event SET state = 'refused', due_at = NULL, reason = 'a test says so'")
    draft.use(1, at=-0.2)
    draft.write("UPDATE unsealed SET seal_at = ledger_now() + interval '1 hour'")
    finalizes_at = draft.ask("SELECT extract(epoch FROM ledger_now())::bigint + 3600")[0]
    told = {"status": "draft", "automatically_finalizes_at": finalizes_at}
    draft.tell(invoice(line(start=-10, end=-0.1), **told), at=0.1)
    rung = draft.ask("SELECT count(*) FROM unsealed WHERE seal_at <= ledger_now()")
    first = draft.ask("SELECT closes_at IS NOT NULL FROM lane")
    draft.tell(invoice(line(start=-10, end=-0.1), at=0.2), at=0.2)

    assert (rung, first, draft.ask("SELECT closes_at FROM lane")) == ([1], [True], [None])


def test_a_lane_that_a_draft_bills_is_leased_before_one_that_waits_for_longer(draft):
    draft.use(5, at=-1, customer="cus_2")
    draft.seal()
    draft.write("UPDATE lane SET due_at = ledger_now() - interval '1 hour' WHERE customer = 'cus_2'")
    with draft.ledger.transaction() as tx:
        (first,) = lanes.lease_lanes(tx, "default", lanes_max=1, timing=TIMING)

    assert draft.ask("SELECT customer FROM lane WHERE lane_id = %s", first.lane_id) == ["cus_1"]
