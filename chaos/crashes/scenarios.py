"""Small stories that come to every crash point, each played by the steps' own code until one of them dies.

`begin` is what was before; `act` comes to the places, and dies there; `end` is what others do afterwards whether we
died or not: Stripe delivers again, a person asks again. Then the steps go on until nothing is left, and `facts` hold:
of the ledger, and of what `seen` counts at Stripe.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from chaos.crashes.alarms import watch_and_post
from chaos.crashes.drafts import drafts_of_two, hear_of_one_and_keep_drafts, invoiced, keep_drafts
from chaos.crashes.learning import learn_from_the_deaf, reactivate, row_not_due
from chaos.crashes.place import LEASE_IS_OVER, Place
from chaos.crashes.reports import rejected, report_and_send_anew
from chaos.crashes.signups import rows_of_both_kinds, signed_up, subscribed_at_stripe
from chaos.crashes.stories import (
    WINDOW_IS_OVER,
    answer_late,
    books_away,
    count_twice,
    hold_and_show_canary,
    key_refused,
    limited,
    nothing,
    pin_and_walk,
    prove_absence,
    read_as_one_of_many,
    read_beside_what_moves,
    read_while_away,
    row_of_one,
    seal_one,
    two_of_a_lane,
    two_of_a_minute,
    walk_twice,
)
from chaos.crashes.visitors import (
    catch_up_and_apply,
    catch_up_and_be_away,
    confirm_restore,
    deliver_and_apply,
    forgotten,
    migrate,
    migrate_and_begin,
    operate,
    operate_again,
    refused_two,
    subscribed,
    subscribed_unheard,
)

Act = Callable[[Place], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    begin: Act
    act: Act = Place.walk
    end: Act = nothing
    deaths: tuple[str, ...] = ()  # crash points at which processes before ours were killed
    between: timedelta = LEASE_IS_OVER  # passes after each of them
    then: Act = nothing  # after the deaths, before `act`
    facts: Mapping[str, int] = field(default_factory=dict)
    seen: Callable[[Place], Mapping[str, int]] = lambda _: {}
    is_migrated: bool = True


EACH_MADE_ONCE = {"signups created": 2, "subscriptions at Stripe": 2}
SCENARIOS = {
    "rows": Scenario(
        begin=rows_of_both_kinds,
        facts={"confirmed": 8, "quarantined": 1, "row conflicts": 1, **EACH_MADE_ONCE},
        seen=subscribed_at_stripe,
    ),
    "first start": Scenario(begin=row_of_one, act=pin_and_walk, facts={"confirmed": 1}),
    "deaf Stripe": Scenario(begin=row_not_due, act=learn_from_the_deaf, end=reactivate, facts={"confirmed": 1}),
    "inherited attempt": Scenario(begin=row_of_one, deaths=("submit.after_call",), facts={"confirmed": 1}),
    "late answer": Scenario(begin=seal_one, act=answer_late, facts={"confirmed": 1}),
    "subscriptions": Scenario(begin=signed_up, act=walk_twice, facts=EACH_MADE_ONCE, seen=subscribed_at_stripe),
    "inherited signup": Scenario(
        begin=signed_up, deaths=("subscribe.after_call",), facts=EACH_MADE_ONCE, seen=subscribed_at_stripe
    ),
    "read again": Scenario(begin=row_of_one, act=walk_twice, facts={"confirmed": 1}),
    "counted twice": Scenario(begin=count_twice, act=walk_twice, facts={"confirmed": 1, "copies cancelled": 1}),
    "limited": Scenario(begin=limited, act=walk_twice, facts={"confirmed": 3}),
    "key refused": Scenario(begin=key_refused, act=walk_twice, facts={"confirmed": 3}),
    "books away": Scenario(begin=books_away, act=walk_twice, facts={"confirmed": 2}),
    "held in its hour": Scenario(
        begin=two_of_a_lane, deaths=("submit.after_call",), between=WINDOW_IS_OVER, facts={"confirmed": 2}
    ),
    "held, had landed": Scenario(
        begin=row_of_one,
        deaths=("submit.after_call",),
        between=WINDOW_IS_OVER,
        facts={"confirmed": 1, "generations": 1},
    ),
    "held, books away": Scenario(
        begin=row_of_one, deaths=("submit.after_call",), act=read_while_away, facts={"confirmed": 1, "generations": 1}
    ),
    "held, others write": Scenario(
        begin=row_of_one, deaths=("submit.after_call",), act=read_as_one_of_many, facts={"confirmed": 1}
    ),
    "held, minute moves": Scenario(
        begin=two_of_a_minute,
        deaths=("submit.after_call", "submit.after_token"),
        between=WINDOW_IS_OVER,
        act=read_beside_what_moves,
        facts={"confirmed": 2, "generations": 2},
    ),
    "held, never landed": Scenario(
        begin=row_of_one,
        deaths=("submit.before_call",),
        then=hold_and_show_canary,
        act=prove_absence,
        facts={"confirmed": 2, "generations": 3},
    ),
    "events": Scenario(
        begin=subscribed,
        act=deliver_and_apply,
        end=deliver_and_apply,
        facts={"events applied": 2, "events ignored": 1, "events failed": 1, "subscriptions active": 1},
    ),
    "events found": Scenario(
        begin=subscribed_unheard,
        act=catch_up_and_apply,
        end=catch_up_and_apply,
        facts={"events never pushed": 4, "subscriptions active": 1},
    ),
    "events forgotten": Scenario(
        begin=catch_up_and_be_away,
        act=catch_up_and_apply,
        end=catch_up_and_apply,
        facts={"lists with a gap": 2, "events never pushed": 1},
    ),
    "error report": Scenario(
        begin=rejected,
        act=report_and_send_anew,
        end=report_and_send_anew,
        facts={"confirmed": 3, "generations": 6, "errors joined": 3, "events failed": 0},
    ),
    "desk": Scenario(
        begin=refused_two,
        act=operate,
        end=operate_again,
        facts={"confirmed": 2, "quarantined": 1, "retries": 2, "discards": 1, "generations": 4},
    ),
    "alarms": Scenario(
        begin=row_of_one,
        act=watch_and_post,
        end=watch_and_post,
        facts={"confirmed": 1, "alarms": 1, "alarm posts taken": 1},
    ),
    "drafts": Scenario(
        begin=drafts_of_two,
        act=keep_drafts,
        end=hear_of_one_and_keep_drafts,
        facts={
            "confirmed": 2,
            "drafts finalized": 1,
            "invoices that advance or are paid": 2,
            "finalizations": 2,
            "units invoiced": 3,
        },
        seen=invoiced,
    ),
    "restored": Scenario(begin=forgotten, act=confirm_restore, end=confirm_restore, facts={"confirmed": 2}),
    "migrations": Scenario(
        begin=nothing,
        act=migrate,
        end=migrate_and_begin,
        is_migrated=False,
        facts={"confirmed": 8, "quarantined": 1, "row conflicts": 1},
    ),
}
