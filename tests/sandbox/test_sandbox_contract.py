"""Every route, walked with stripe-python, sync and async: each answer has the fields and types that its class promises.

A route without a step in `walk.py` fails.
"""

import asyncio
import typing
from operator import attrgetter
from typing import Any

import pytest
import stripe

from sandbox.calls.routes import ROUTES
from tests.sandbox.walk import WALK, Step

PLAIN = (str, int, bool)


class Made(dict[str, Any]):
    """What the walk has made so far, by the names its steps gave."""

    def keep(self, step: Step, answer: Any) -> None:
        self[step.keep] = answer
        if step.keep == "events":
            self["a_happening"] = answer.data[0]

    def asked(self, step: Step) -> tuple[Any, ...]:
        return (*(self[name].id for name in step.ids.split()), step.params(self))


def walked(client: stripe.StripeClient) -> list[Any]:
    made, answers = Made(), []
    for step in WALK:
        answers.append(attrgetter(step.call)(client)(*made.asked(step)))
        made.keep(step, answers[-1])
    return answers


async def walked_async(client: stripe.StripeClient, http: stripe.HTTPClient) -> list[Any]:
    made, answers = Made(), []
    for step in WALK:
        answers.append(await attrgetter(f"{step.call}_async")(client)(*made.asked(step)))
        made.keep(step, answers[-1])
    await http.close_async()
    return answers


@pytest.fixture(scope="module")
def sync_answers(shared_sandbox: Any) -> Any:
    shop = shared_sandbox.shop()
    answers = walked(shop.client)
    shop.http.close()
    return answers


@pytest.fixture(scope="module")
def async_answers(shared_sandbox: Any) -> Any:
    shop = shared_sandbox.shop()
    shop.http.close()
    shop.http = stripe.AIOHTTPClient(timeout=20)
    return asyncio.run(walked_async(shop.client_of(shop.key), shop.http))


STEPS = pytest.mark.parametrize("number", range(len(WALK)), ids=[f"{step.route} {step.keep}".strip() for step in WALK])


@STEPS
def test_an_answer_has_every_field_that_its_type_requires(sync_answers: Any, number: int) -> None:
    assert broken(sync_answers[number], type(sync_answers[number]).__name__) == []


@STEPS
def test_an_answer_to_the_async_client_has_every_field_too(async_answers: Any, number: int) -> None:
    assert broken(async_answers[number], type(async_answers[number]).__name__) == []


@STEPS
def test_an_answer_is_of_a_type_of_its_own(sync_answers: Any, number: int) -> None:
    assert type(sync_answers[number]) not in {stripe.StripeObject, dict, type(None)}


def test_the_walk_leads_through_every_route() -> None:
    assert {step.route for step in WALK} == {route.name for route in ROUTES}


def test_a_broken_promise_is_noticed() -> None:
    list_object = {"object": "list", "data": [{"object": "customer", "id": 7}], "has_more": False, "url": "/"}
    found = broken(stripe.ListObject.construct_from(list_object, "sk_test"), "list")
    assert {"list.data[0].id is 7", "list.data[0].created is absent"} <= set(found)


def broken(answer: Any, name: str) -> list[str]:
    """The promises of the annotations that an object does not keep, in the objects within it too."""
    if isinstance(answer, list):
        return [wrong for index, member in enumerate(answer) for wrong in broken(member, f"{name}[{index}]")]
    if not isinstance(answer, stripe.StripeObject):
        return []
    if getattr(answer, "deleted", False):
        return [] if answer.id else [f"{name}.id"]
    found: list[str] = []
    for field, kind in type(answer).__annotations__.items():
        if field[0] != "_" and typing.get_origin(kind) is not typing.ClassVar:
            found += _broken_field(answer, field, kind, name=f"{name}.{field}")
    return found


def _broken_field(answer: Any, field: str, kind: Any, *, name: str) -> list[str]:
    if field not in answer or answer[field] is None:
        return [] if type(None) in typing.get_args(kind) else [f"{name} is absent"]
    value = answer[field]
    if kind in PLAIN and type(value) is not kind:
        return [f"{name} is {value!r}"]
    return broken(value, name)
