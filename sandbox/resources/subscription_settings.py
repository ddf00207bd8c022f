"""What calls about subscriptions say of their invoices: tax rates, automatic tax, tax ids, memo, footer and fields.

Read in full before anything is changed; in an update what is left out stays as it was, and an empty text unsets it.
"""

from dataclasses import replace

from sandbox.billing.invoice_terms import NO_TERMS, CustomField, InvoiceTerms
from sandbox.billing.tax_location import tax_country
from sandbox.calls.call import Call
from sandbox.errors import ApiError, invalid, no_such
from sandbox.parameters.params import Params
from sandbox.resources.customers import existing as existing_customer
from sandbox.resources.tax_ids import existing as existing_tax_id
from sandbox.resources.tax_rates import existing as existing_tax_rate

RATES_MAX = 5
FIELDS_MAX = 4
FIELD_NAME_MAX = 40
FIELD_VALUE_MAX = 140


def invoice_terms(call: Call, customer: str, *, before: InvoiceTerms = NO_TERMS) -> InvoiceTerms:
    """What the customer's invoices are to say and be taxed by."""
    params = call.params
    terms = _worded(call, params.group("invoice_settings"), before)
    if "default_tax_rates" in params:
        terms = replace(terms, default_tax_rates=_tax_rates(call, params, before=before.default_tax_rates))
    if "automatic_tax" in params:
        terms = replace(terms, has_automatic_tax=params.group("automatic_tax").is_true("enabled"))
    _check_taxes(call, customer, terms=terms, before=before)
    return terms


def _worded(call: Call, settings: Params, before: InvoiceTerms) -> InvoiceTerms:
    return replace(
        before,
        description=settings.text_or("description", before.description),
        footer=settings.text_or("footer", before.footer),
        custom_fields=_custom_fields(settings) if "custom_fields" in settings else before.custom_fields,
        account_tax_ids=_account_tax_ids(call, settings) if "account_tax_ids" in settings else before.account_tax_ids,
    )


def _custom_fields(settings: Params) -> tuple[CustomField, ...]:
    if not settings.is_group("custom_fields"):  # the empty text that unsets them
        return ()
    groups = settings.groups("custom_fields")
    if len(groups) > FIELDS_MAX:
        message = f"You can specify at most {FIELDS_MAX} custom fields, but you passed in {len(groups)}."
        raise invalid(message, param=settings.named("custom_fields"))
    return tuple(
        CustomField(
            name=group.required("name", length_max=FIELD_NAME_MAX),
            value=group.required("value", length_max=FIELD_VALUE_MAX),
        )
        for group in groups
    )


def _account_tax_ids(call: Call, settings: Params) -> tuple[str, ...]:
    if not settings.is_group("account_tax_ids"):
        return ()
    named = settings.named("account_tax_ids")
    return tuple(
        _own_tax_id(call, identity, param=f"{named}[{index}]")
        for index, identity in enumerate(settings.listed("account_tax_ids"))
    )


def _own_tax_id(call: Call, identity: str, *, param: str) -> str:
    """The id of the account's own; one of a customer's is none."""
    if existing_tax_id(call, identity, param=param).customer is not None:
        raise no_such("tax_id", identity, param=param)
    return identity


def _tax_rates(call: Call, params: Params, *, before: tuple[str, ...]) -> tuple[str, ...]:
    if not params.is_group("default_tax_rates"):
        return ()
    wanted = params.listed("default_tax_rates")
    if len(wanted) > RATES_MAX:
        message = f"You can specify at most {RATES_MAX} tax rates, but you passed in {len(wanted)}."
        raise invalid(message, param="default_tax_rates")
    for index, identity in enumerate(wanted):
        rate = existing_tax_rate(call, identity, param=f"default_tax_rates[{index}]")
        if not rate.active and rate.id not in before:
            raise ApiError(400, f"The tax rate {rate.id} is inactive.", param=f"default_tax_rates[{index}]")
    return tuple(wanted)


def _check_taxes(call: Call, customer: str, *, terms: InvoiceTerms, before: InvoiceTerms) -> None:
    if not terms.has_automatic_tax:
        return
    if terms.default_tax_rates:
        message = "You cannot set `default_tax_rates` while `automatic_tax` is enabled."
        raise ApiError(400, message, param="default_tax_rates")
    if not before.has_automatic_tax:
        _check_can_be_automatic(call, customer)


def _check_can_be_automatic(call: Call, customer: str) -> None:
    found, param = existing_customer(call, customer, param="customer"), "automatic_tax[enabled]"
    if not call.books.settings.automatic_tax_is_set_up:
        mode = "live" if call.books.livemode else "test"
        page = "settings/tax" if call.books.livemode else "test/settings/tax"
        message = (
            f"You must have a valid head office address to enable automatic tax calculation in {mode} mode. "
            f"Visit https://dashboard.stripe.com/{page} to update it."
        )
        raise ApiError(400, message, param=param)
    if tax_country(found.address, found.shipping) is None:
        message = (
            "The customer's location isn't recognized. Set a valid customer address in order to automatically "
            "calculate tax."
        )
        raise ApiError(400, message, param=param, code="customer_tax_location_invalid")
