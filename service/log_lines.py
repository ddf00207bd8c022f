"""Every event that our processes log: its name, how loud it is, and the sentence that says what it means.

A name is `noun.verb`, the verb in the past. `debug` is what happens many times a second; `info` what an operator
counts; `warning` what mends itself but is worth knowing; `error` what needs a person. Never one line a row: figures are
fields.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Line:
    """One event's place among the others."""

    level: int
    sentence: str


DEBUG, INFO, WARNING, ERROR = logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR

EVENTS: Mapping[str, Line] = MappingProxyType(
    {
        # record
        "intake.committed": Line(INFO, "Messages were recorded in one transaction."),
        "signup.recorded": Line(INFO, "Subscription rows were recorded; what they ask for is made, or a person looks."),
        "row.quarantined": Line(WARNING, "Rows could not be read; their bytes and the reasons are kept."),
        "row.conflicted": Line(WARNING, "Row ids were told again with other content; the first content counts."),
        "queue.garbled": Line(WARNING, "Items of the queue are no messages; they are kept as they are."),
        # seal
        "meter_event.sealed": Line(INFO, "Entries became meter events, which never change from here on."),
        "meter.blocked": Line(ERROR, "Rows wait, because their meter is unknown, inactive or of a kind not supported."),
        "entry.unbilled": Line(WARNING, "Usage was sealed at a time that no subscription of its customer bills."),
        "entry.kept_back": Line(INFO, "Usage that no subscription bills stays unsealed until one does."),
        "entry.let_go": Line(
            WARNING, "Usage that no subscription bills was sealed, since it grows too old for Stripe."
        ),
        # dispatch
        "wakeup.sent": Line(DEBUG, "A worker was told that something is due."),
        "wakeup.refused": Line(WARNING, "A job in the queue is not one of ours and was not run."),
        # submit
        "account.pinned": Line(INFO, "This ledger belongs to one Stripe account and mode."),
        "account.paused": Line(ERROR, "Stripe refuses the key, so no call is made for a while."),
        "breaker.opened": Line(
            WARNING, "Stripe fails or cannot be reached; one call at a time tries whether it still does."
        ),
        "breaker.kept": Line(DEBUG, "A trial failed like the calls before it; the next one is made later."),
        "breaker.closed": Line(INFO, "A trial succeeded, so the account's calls go on, slowly at first."),
        "limiter.slowed": Line(WARNING, "Stripe limits us, so all calls of this kind slow down."),
        "attempt.lost": Line(WARNING, "A call's answer was never heard, so whether it counted is unknown."),
        "meter_event.accepted": Line(INFO, "Stripe took a meter event."),
        "meter_event.retried": Line(INFO, "A call did not succeed; the same meter event is sent again later."),
        "meter_event.unknown": Line(WARNING, "A meter event may or may not count; the same identifier is sent again."),
        "meter_event.refused": Line(ERROR, "Stripe will not take a meter event; a person has to look."),
        "meter_event.held": Line(ERROR, "A meter event cannot be decided; it waits for Stripe's own books."),
        "meter_event.conflict": Line(ERROR, "Stripe contradicts what it said of a meter event; a person has to look."),
        # subscribe
        "signup.created": Line(INFO, "Stripe has the subscription of a row."),
        "signup.due": Line(INFO, "A call for a subscription was not made, or did not succeed; it is made again later."),
        "signup.unknown": Line(WARNING, "A subscription may or may not be made; the same key is sent again."),
        "signup.held": Line(ERROR, "Whether a subscription was made cannot be told; the customer's list decides."),
        "signup.refused": Line(ERROR, "A subscription is not made as its row wants it; a person has to look."),
        "signup.blocked": Line(ERROR, "Another subscription bills the same usage; a person has to look."),
        "signup.conflict": Line(ERROR, "Stripe has several subscriptions of one row; a person has to look."),
        "signup.proven_absent": Line(WARNING, "A subscription was not made; it is made under the next key."),
        "signup_call.ended": Line(DEBUG, "A call for a subscription came to its end."),
        "signup_call.lost": Line(WARNING, "A call's answer was never heard, so what it made is looked for."),
        "subscribe.rested": Line(WARNING, "Stripe fails or refuses the key, so no subscription is made for a while."),
        # the restore guard
        "ledger.restored": Line(
            ERROR, "The ledger was put back to an earlier time; nothing is sent until a person confirms."
        ),
        "witness.unreadable": Line(WARNING, "What stands in Redis as the witness is none; the others are asked."),
        "witness.away": Line(WARNING, "No witness of a call could be kept, so it was not made; it is due again soon."),
        # reconcile
        "meter_event.confirmed": Line(INFO, "Stripe's summaries agree with accepted meter events."),
        "meter_event.missing": Line(ERROR, "An accepted meter event is not in Stripe's summary."),
        "meter_event.drifted": Line(ERROR, "Stripe counts other than what it accepted from us; a person has to look."),
        "meter_event.present": Line(INFO, "Stripe's books show held meter events: they count, once."),
        "meter_event.unseen": Line(INFO, "Stripe's books do not show held meter events yet; they are read again."),
        "meter_event.absent": Line(INFO, "Stripe's books do not show held meter events; they are read again."),
        "meter_event.proven_absent": Line(
            WARNING, "Held meter events do not count; they are sent anew, or a person looks."
        ),
        "meter_event.part": Line(WARNING, "Stripe's books show a part of a minute's held meter events so far."),
        "meter_event.contradicted": Line(ERROR, "Stripe's books contradict held meter events; a person has to look."),
        "meter_event.undecidable": Line(ERROR, "Stripe's books cannot tell of held meter events; a person decides."),
        "lane.unread": Line(WARNING, "A lane's summaries could not be read now; they are asked for again later."),
        "draft.held": Line(INFO, "A draft is held open until its usage is confirmed."),
        "draft.let_go": Line(INFO, "A draft that was held is final, or gone."),
        "draft.cut_short": Line(ERROR, "A draft's time was up, and it is finalized without all of its usage."),
        "draft.refused": Line(ERROR, "Stripe refuses to hold or finalize a draft; it is asked again, a person looks."),
        "hour.read_again": Line(DEBUG, "Stripe's books still agree with hours that were confirmed."),
        "hour.differed": Line(
            WARNING, "Stripe counts other than we reported, in no minute of ours; others report there."
        ),
        "minute.differed": Line(WARNING, "Confirmed meter events do not show as they did; they are read again."),
        "minute.contradicted": Line(ERROR, "Stripe's books contradict confirmed meter events; a person has to look."),
        "surplus.found": Line(WARNING, "Stripe counts a meter event twice; one copy is cancelled."),
        "surplus.cancelled": Line(INFO, "Stripe's books show a meter event once, as its copy was cancelled."),
        "surplus.contradicted": Line(ERROR, "A copy too many was not cancelled; a person has to look."),
        "meter_event.cancelled": Line(INFO, "Stripe's books show nothing of a meter event that a person took back."),
        "cancellation.replaced": Line(
            WARNING, "Stripe refuses to cancel what a person took back; an entry takes it back instead."
        ),
        "cancellation.ended": Line(INFO, "A call that cancels a copy too many came to its end."),
        "cancellation.lost": Line(WARNING, "A cancellation's answer was never heard; it is asked for again."),
        # alarms
        "alarm.raised": Line(ERROR, "Something is wrong with money; a person has to look: meterpost alarms."),
        "alarm.noted": Line(INFO, "Something is worth knowing about money; nobody has to act."),
        "alarm.escalated": Line(ERROR, "An open alarm became urgent; a person is wanted now."),
        "alarm.cleared": Line(INFO, "What an alarm was about is wrong no more."),
        "alarm.unrated": Line(WARNING, "What alarms are worth could not be summed up now; they stand as they are."),
        "alarm.left_out": Line(ERROR, "More is wrong than alarms of one kind are kept open for; the rest is counted."),
        "alarm_question.failed": Line(ERROR, "What is wrong could not be asked; its open alarms stay as they are."),
        "alarm_question.mended": Line(INFO, "What is wrong can be asked again."),
        "price.unread": Line(WARNING, "A price could not be read now; what it rates is told without money meanwhile."),
        "alarm_post.taken": Line(INFO, "The receiver of alarms took one."),
        "alarm_post.refused": Line(WARNING, "The receiver of alarms did not take one; it is posted again later."),
        "alarm_post.given_up": Line(ERROR, "The receiver of alarms did not take one for days; it is posted no more."),
        # receive and apply
        "event.received": Line(INFO, "Stripe told us of an event, and it is recorded."),
        "event.duplicate": Line(INFO, "Stripe told us of an event again; the delivery is counted."),
        "stranger.refused": Line(WARNING, "Requests were refused before anything of them was believed."),
        "event.applied": Line(INFO, "An event's effects are committed."),
        "error_report.applied": Line(WARNING, "Stripe rejected what it had taken; what it names is refused."),
        "error_report.orphaned": Line(WARNING, "An error report names what this ledger did not send."),
        "event.ignored": Line(DEBUG, "An event changes nothing here."),
        "customer.deleted": Line(
            ERROR, "A customer was deleted at Stripe before all of its usage was sent; Stripe will refuse the rest."
        ),
        "meter.deactivated": Line(ERROR, "A meter was deactivated at Stripe; nothing more can be reported to it."),
        "event.retried": Line(WARNING, "An event could not be applied; it is tried again later."),
        "event.found": Line(INFO, "Stripe lists events of which it has not told us (yet); they are recorded."),
        "event.missed": Line(ERROR, "Stripe lists events that it never delivered; look at its webhook endpoints."),
        "event.foreign": Line(ERROR, "Stripe lists what is no event of this ledger's mode; it is left out."),
        "event.gap": Line(ERROR, "Events were not read while Stripe kept them; nobody can say what they were."),
        "event_list.unread": Line(WARNING, "Stripe's list of events could not be read now; it is asked again later."),
        "event.failed": Line(ERROR, "An event could not be applied; a person has to look."),
        "request.answered": Line(DEBUG, "A request was answered."),
        # any program
        "worker.started": Line(INFO, "A worker started."),
        "worker.refused": Line(ERROR, "A worker cannot start; a person has to set something up."),
        "lane.unreadable": Line(WARNING, "Stripe refuses to tell a lane's summaries; it is asked again later."),
        "meter.unread": Line(
            WARNING, "Stripe's meters could not be read; rows of meters that are not known wait a little."
        ),
        "customer.unread": Line(WARNING, "A customer's subscriptions could not be read; its rows wait a little."),
        "subscription.unreadable": Line(
            ERROR, "A subscription of Stripe's cannot be understood; its periods are unknown."
        ),
        "customer.unknown": Line(WARNING, "Stripe does not know a customer that rows mention."),
        "worker.stopped": Line(INFO, "A worker stopped in order."),
        "worker.waiting": Line(WARNING, "Something that this worker needs is away; it asks again."),
        "program.crashed": Line(ERROR, "A program ended on an error that nobody expected."),
        # everyone else's lines
        "library.said": Line(INFO, "A library logged a line; its own words stand in its place."),
    }
)
