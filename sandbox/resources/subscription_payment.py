"""How a call that creates a subscription has its first invoice paid, and Stripe's refusals of what cannot be paid."""

from sandbox.billing.beginnings import Beginning, begun
from sandbox.billing.payment_method import owned
from sandbox.billing.payments import NOTHING_TO_PAY_WITH, decline_of, refusal_of
from sandbox.billing.sketch import sketched
from sandbox.books import Books
from sandbox.calls.call import Call
from sandbox.errors import ApiError, invalid
from sandbox.parameters.params import Params
from sandbox.resources.subscription_params import PAYMENT_BEHAVIORS


def payment_behavior(params: Params) -> str:
    behavior = params.choice("payment_behavior", PAYMENT_BEHAVIORS) or "allow_incomplete"
    params.choice("off_session", ("true", "false"))
    if behavior == "pending_if_incomplete":
        raise invalid(
            "`pending_if_incomplete` is only used with updates and cannot be passed when creating a Subscription.",
            param="payment_behavior",
        )
    return behavior


def payment_method(call: Call, params: Params, customer: str) -> str | None:
    wanted = params.text("default_payment_method")
    return wanted and owned(call.books, wanted, customer=customer, param="default_payment_method")


def refuse_unpaid(books: Books, first: Beginning) -> None:
    """Where nothing may begin without money, or nobody has any: found out in a sketch, which nobody keeps."""
    planned, behavior = first.subscription, first.payment_behavior
    if planned.collection_method == "send_invoice" or behavior == "default_incomplete":
        return
    decline = decline_of(books, planned.customer, wanted=planned.default_payment_method)
    if decline is None or (behavior == "allow_incomplete" and decline is not NOTHING_TO_PAY_WITH):
        return
    sketch = sketched(books, customer=planned.customer)
    if begun(sketch, first).status(sketch) != "incomplete":
        return
    raise _no_method() if decline is NOTHING_TO_PAY_WITH else refusal_of(decline)


def _no_method() -> ApiError:
    return ApiError(
        400,
        "This customer has no attached payment source or default payment method. Please consider adding a default "
        "payment method. For more information, visit "
        "https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.",
        code="resource_missing",
    )
