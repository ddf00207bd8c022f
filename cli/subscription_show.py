"""`meterpost subscriptions show`: a subscription's whole story, every call to Stripe with its request id."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from operator import itemgetter

import click

from cli.exits import OK, Failed
from cli.ledger import reading
from cli.output import instant, json_option, print_json, shown
from cli.subscription_cells import BETWEEN, write_cell
from meterpost.subscription import FIELDS
from service import settings
from service.ledger.actions import OperatorAction, actions_on
from service.ledger.connection import Transaction
from service.ledger.signups_shown import (
    ShownSignup,
    ToldAttempt,
    ToldListing,
    ToldStep,
    attempts_told,
    listings_told,
    signups_found,
    steps_told,
)

EPILOG = """\b
Examples:
  meterpost subscriptions show su-17
  meterpost subscriptions show sub_1MowQVLkdIwHu7ixeRlqHVzs
  meterpost subscriptions show ROW_ID --json
"""
STATES = {
    "due": "It waits for its next step.",
    "unknown": "A call may have made it; the same key is sent again, which cannot make a second.",
    "held": "It may have been made, and asking again could make a second: it is looked for at Stripe.",
    "created": "Stripe has it, once.",
    "refused": "Stripe will not make it as it is, and nothing was made; a person has to look.",
    "blocked": "Nothing was asked for, because it would double something or corrects what cannot be corrected.",
    "conflict": "Stripe and the ledger disagree about it; a person has to look.",
    "replaced": "Another row corrects it; nothing of it is made.",
}
UNPAID = {
    "incomplete": "Stripe has it; its first invoice is not paid, and it ends 23 hours after it began unless it is.",
    "incomplete_expired": "Stripe ended it, because its first invoice was not paid: it bills nothing, fee included.",
}
REMEDIES = {
    "incomplete": "have its first invoice paid at Stripe",
    "incomplete_expired": "tell it again under another row_id, with a payment method that pays",
    "refused": (
        "repair it at Stripe and dead retry {id}; or tell it corrected (subscriptions errors); or dead discard {id}"
    ),
    "blocked": (
        "end the other one at Stripe and dead retry {id}; or say that a second one is meant, with dead retry {id} --set"
        " allow_duplicate=true; or tell it corrected (subscriptions errors); or dead discard {id}"
    ),
    "too late": (
        "dead discard {id}, once what its reason names is as it should be; or dead retry {id} --set"
        " allow_duplicate=true, which makes it beside that"
    ),
    "conflict": "end at Stripe what is too many, then dead discard {id} with what you did",
}
OUTCOMES = {
    None: "still open, or its end was never heard",
    "accepted": "Stripe answered",
    "refused": "Stripe refused it",
    "unavailable": "it was not done, and is asked again",
    "unknown": "it may have been done",
}
VERDICTS = {
    "clear": "nothing stands in its way",
    "duplicate": "another one bills the same meter",
    "ours": "it is among them",
    "several": "it is there more than once",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All that is known of one; the newest first, but for the steps."""

    signup: ShownSignup
    steps: list[ToldStep]
    listings: list[ToldListing]
    attempts: list[ToldAttempt]
    actions: list[OperatorAction]


@click.command(epilog=EPILOG, short_help="Tell the whole story of one.")
@click.argument("text", metavar="ID")
@json_option
def show(*, text: str, as_json: bool) -> int:
    """Tell all of ID: su-17, a row's id, Stripe's sub_… or the meterpost_row of its metadata.

    What the row said, every step, every list that was read, every call with its request id, what persons did, and the
    subscription with what Stripe last told of its status.
    """
    with reading() as tx:
        found = [tell_signup(tx, signup) for signup in signups_found(tx, settings.load().account, text)]
    if not found:
        raise Failed(f"the ledger knows no subscription {text}: it may be on the queue still (see meterpost status)")
    if as_json:
        print_json({"subscriptions": [{"id": f"su-{one.signup.signup_id}", **asdict(one)} for one in found]})
    else:
        click.echo("\n".join(line for one in found for line in signup_lines(one)))
    return OK


def tell_signup(tx: Transaction, signup: ShownSignup) -> Told:
    return Told(
        signup=signup,
        steps=steps_told(tx, signup.signup_id),
        listings=listings_told(tx, signup.signup_id),
        attempts=attempts_told(tx, signup.signup_id),
        actions=actions_on(tx, f"su-{signup.signup_id}"),
    )


def signup_lines(told: Told) -> Iterator[str]:
    signup = told.signup
    came = f", with {shown(signup.import_name)}" if signup.import_name else ""
    yield f"su-{signup.signup_id}  row {shown(signup.row_id)} of {shown(signup.source)}{came}"
    for field in FIELDS:
        if field in signup.said:
            yield f"    {field}: {shown(write_cell(signup.said[field], between=BETWEEN.get(field, '=')))}"
    yield f"    meterpost_row: {signup.identifier}"
    if signup.replaces:
        yield f"    corrects row {shown(signup.replaces)}"
    yield _at(signup.recorded_at, "recorded")
    for when, line in sorted(_happened(told), key=itemgetter(0)):  # what happened at once stays in its order
        yield _at(when, line)
    yield f"    {signup.state.capitalize()}: {UNPAID.get(_stands(signup)) or STATES[signup.state]}{_why(signup)}"
    yield from _now(signup)


def _happened(told: Told) -> Iterator[tuple[datetime, str]]:
    for attempt in told.attempts:
        yield attempt.started_at, f"called Stripe: {_part(attempt.step, attempt.about)}: {_ended(attempt)}"
    for listing in told.listings:
        named = f": {', '.join(listing.subscriptions)}" if listing.subscriptions else ""
        yield listing.read_at, f"the customer's subscriptions were listed: {VERDICTS[listing.verdict]}{shown(named)}"
    for step in told.steps:
        yield step.done_at, f"done: {_part(step.step, step.about)}: {shown(step.found)}"
    for action in told.actions:
        yield action.acted_at, f"{action.verb} by {shown(action.actor)}: {shown(action.reason)}"
    yield told.signup.stands_since, told.signup.state


def _part(step: str, about: str) -> str:
    return f"{step} {shown(about)}".rstrip()


def _ended(attempt: ToldAttempt) -> str:
    said = [
        OUTCOMES[attempt.outcome],
        f"status {attempt.status}" if attempt.status else "",
        shown(attempt.code),
        shown(attempt.detail),
        f"request {attempt.request_id}" if attempt.request_id else "",
        f"key {attempt.idempotency_key}" if attempt.idempotency_key else "",
        "replayed" if attempt.is_replayed else "",
    ]
    return ", ".join(filter(None, said))


def _why(signup: ShownSignup) -> str:
    reason = f" Reason: {shown(signup.reason).removesuffix('.')}." if signup.reason else ""
    return f"{reason} Next look at {instant(signup.due_at)}." if signup.due_at else reason


def _now(signup: ShownSignup) -> Iterator[str]:
    if signup.is_discarded:
        yield "    Discarded by a person: nothing more is made of it."
    elif (stands := _stands(signup)) in REMEDIES:
        yield f"    Remedy: {REMEDIES[stands].format(id=f'su-{signup.signup_id}')}."
    if signup.replaced_by:
        yield f"    Corrected by row {shown(signup.replaced_by)}."
    if signup.subscription:
        status = f"{shown(signup.status)} at {instant(signup.status_as_of)}" if signup.status_as_of else "not told yet"
        yield f"    Subscription {shown(signup.subscription)}: {status}."


def _stands(signup: ShownSignup) -> str:
    """Its state, or how Stripe calls it where it is made and not paid, or that it corrects what it cannot."""
    if signup.is_too_late:
        return "too late"
    return signup.status if signup.state == "created" and signup.status in UNPAID else signup.state


def _at(when: datetime, text: str) -> str:
    return f"  {instant(when)}  {text}"
