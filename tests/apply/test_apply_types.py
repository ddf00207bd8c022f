"""The types that Stripe is asked for and the types that change something are the same."""

import pytest

from service.event_types import SNAPSHOT_TYPES
from service.mirrors import KINDS
from workers._effects import KIND_OF, kind_of


@pytest.mark.parametrize("type_", SNAPSHOT_TYPES)
def test_every_type_that_stripe_is_asked_for_has_an_effect(type_):
    assert kind_of(type_) in KINDS


def test_every_effect_is_of_a_type_that_stripe_is_asked_for():
    assert set(KIND_OF) == {type_.rpartition(".")[0] for type_ in SNAPSHOT_TYPES}
    assert set(KIND_OF.values()) == set(KINDS)


@pytest.mark.parametrize(
    "type_", ["invoice.upcoming", "invoice.will_be_due", "customer.tax_id.created", "product.created"]
)
def test_a_type_that_stripe_is_not_asked_for_has_no_effect(type_):
    assert kind_of(type_) is None
