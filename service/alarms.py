"""The kinds of alarm: what each says, what a person does about it, and where its question stands.

An alarm is a question whose answer is not empty: `service/sql/alarming_KIND.sql` tells what is wrong now, a subject a
row, and nothing else knows of the kind. Who asks takes the difference (`workers/_watching.py`), so that no kind has
code for its raising or clearing. A question is asked with `account` and `urgent_within`, and answers, in this order:
subject, is_urgent, customer, meter, item, price, stretch_start, rows, units, invoice, since, until, deadline, said.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """`question` names the file in `service/sql/`. `is_posted` False: told on the screens alone.

    `is_waivable`: a person may live with it, and it is no alarm any more. `rarity`: it is asked so many times more
    rarely than others, because its answer costs more and can wait.
    """

    name: str
    question: str
    sentence: str
    remedy: str
    is_posted: bool = True
    is_waivable: bool = False
    rarity: int = 1


KINDS: Sequence[Kind] = (
    Kind(
        name="unbilled",
        question="alarming_unbilled",
        sentence="Usage at a time that no subscription of its customer bills on its meter.",
        remedy="make a subscription at Stripe that is backdated to before it; meterpost correct; or alarms waive",
        is_waivable=True,
    ),
    Kind(
        name="trial",
        question="alarming_trial",
        sentence="Usage within a trial, which Stripe shows on an invoice and does not bill.",
        remedy="nothing, where the trial is meant to be free",
        is_posted=False,
    ),
    Kind(
        name="discarded",
        question="alarming_discarded",
        sentence="Usage of a subscription that was cancelled at once, so that no invoice has it.",
        remedy="bill it by an invoice item at Stripe, as nothing else does any more; then meterpost alarms waive",
        is_waivable=True,
    ),
    Kind(
        name="closing",
        question="alarming_closing",
        sentence="Usage of a draft invoice that Stripe does not have yet, while the draft is about to be finalized.",
        remedy="see meterpost status and meterpost dead list; keep the draft open at Stripe (auto_advance=false)",
    ),
    Kind(
        name="late",
        question="alarming_late",
        sentence="Usage whose invoice was finalized without it.",
        remedy="meterpost late carry, into the open period, or meterpost late waive",
    ),
    Kind(
        name="straddling",
        question="alarming_straddling",
        sentence="A meter event with usage of both sides of a boundary that was learnt after it was sealed.",
        remedy="meterpost correct and a row, as it says; or leave it where it is: meterpost alarms waive",
        is_waivable=True,
    ),
    Kind(
        name="differs",
        question="alarming_differs",
        sentence="A final invoice's line that is not what the ledger has for its stretch.",
        remedy="bill by an invoice item what it lacks; credit what it has in excess; then meterpost alarms waive",
        is_waivable=True,
    ),
    Kind(
        name="stopped",
        question="alarming_stopped",
        sentence="Nothing is sent, because Stripe refuses the key or fails.",
        remedy="correct STRIPE_SECRET_KEY where Stripe answers 401 or 403; else see status.stripe.com: it mends itself",
    ),
    Kind(
        name="restored",
        question="alarming_restored",
        sentence="The ledger was put back to an earlier time, and nothing is sealed or sent.",
        remedy="meterpost reconcile --epoch, then --confirm",
    ),
    Kind(
        name="missed",
        question="alarming_missed",
        sentence="Events that Stripe lists and never pushed.",
        remedy="meterpost webhooks setup --check; meterpost events list --missed",
    ),
    Kind(
        name="waiting",
        question="alarming_waiting",
        sentence="Dead letters that wait for a person for more than a day; what is held, for more than two.",
        remedy="meterpost dead list",
        rarity=30,
    ),
)
