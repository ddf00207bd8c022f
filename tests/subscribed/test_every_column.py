"""One file with every column, imported by the command: what of it crosses the wire, parameter by parameter.

`every_column.csv` is the file and `every_column.json` what Stripe is to be asked for on behalf of each row, beside its
price and the customer's subscriptions, which every row asks for.
"""

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from string import Template
from typing import Any

import pytest

from cli.subscription_columns import place_of
from meterpost.subscription import FIELDS
from tests.subscribed.conftest import Sales

HERE = Path(__file__).parent
FILE, WIRE = (HERE / "every_column.csv").read_text(), (HERE / "every_column.json").read_text()
EXAMPLES = (HERE.parents[1] / "examples/subscriptions.csv").read_text()
ROWS: Any = json.loads(WIRE)
CARDS = {"visa": "tok_visa", "mastercard": "tok_mastercard", "amex": "tok_amex"}
BERLIN = {"address": {"country": "DE"}}
LIST, PRODUCTS = "/v1/subscriptions", "/v1/products"
SETUP_FEE = {"id": "meterpost_setup_fee", "name": "Setup fee"}
INSTANTS = {"past": -40, "soon": 10, "later": 100}

IN_THE_EXAMPLES = {
    "2026-10-01": "past",
    "2031-01-01T00:00:00Z": "soon",
    "price_1MoBy5LkdIwHu7ixZhnattbh": "tokens",
    "pm_1MqLiJLkdIwHu7ixUEgbFdYF": "visa",
    "txr_1MnyEyLkdIwHu7ixJjxW1b3Y": "vat",
    "txr_1MnyEyLkdIwHu7ixJjxW1b3Z": "city",
    "txi_1NuMB12eZvKYlo2CMecoWkZd": "own_tax_id",
}


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@pytest.fixture
def made(sales: Sales, in_days: Callable[[float], datetime]) -> dict[str, str]:
    """What stands for each $name: things of the sandbox, and instants (with `_s`, as Stripe is told them)."""
    customers = {line[1:].partition(",")[0] for line in lines(FILE) if line.startswith("$")}
    found = {name: sales.customer(**BERLIN) for name in sorted(customers)}
    found |= {name: sales.card(token) for name, token in CARDS.items()}
    found |= {name: in_days(days).isoformat() for name, days in INSTANTS.items()}
    found |= {f"{name}_s": str(int(in_days(days).timestamp())) for name, days in INSTANTS.items()}
    found |= {"vat": sales.rate("19"), "city": sales.rate("2.5"), "tokens": sales.price}
    found["own_tax_id"] = sales.v1.tax_ids.create({"type": "eu_vat", "value": "IE1234567FA"}).id
    found["yearly"] = sales.price_of("storage", interval="year")
    found["yen"] = sales.price_of("calls", currency="jpy")
    sales.v1.coupons.create({"id": "SPRING25", "percent_off": 25, "duration": "forever"})
    return found


@pytest.fixture
def imported(sales: Sales, made: dict[str, str]) -> Any:
    """The file is imported and its subscriptions made; the one that `wrong~2` corrects was refused before."""
    calls_before = len(sales.calls())
    sales.import_file(f"customer,price,coupon,row_id\n{made['wrong']},{sales.price},none,wrong\n", name="wrong.csv")
    sales.work()
    ran = sales.import_file(Template(FILE).substitute(made))
    sales.work()
    return ran | {"calls_before": calls_before}


def calls_of(sales: Sales) -> dict[str, list[Any]]:
    """What each row asked Stripe for, in order."""
    asked = "SELECT signup_attempt_id, row_id FROM signup_attempt JOIN signup USING (signup_id)"
    rows = dict(sales.path.ask(asked))
    named = [(call, call["client_request_id"].split("-")) for call in sales.calls() if call["client_request_id"]]
    found: dict[str, list[Any]] = {row_id: [] for row_id in rows.values()}
    for call, (_, attempt_id, *_) in named:
        found[rows[int(attempt_id)]].append(call)
    return found


def is_for_all(call: Any) -> bool:
    """Prices and subscriptions that are looked at, and the product of setup fees, which the first of them makes."""
    return call["path"] == PRODUCTS or (call["method"] == "GET" and call["path"].startswith(("/v1/prices/", LIST)))


def own_calls(sales: Sales) -> dict[str, list[Any]]:
    """What each row of the file asked for beside what any of them may have asked for before it."""
    return {
        row_id: [call for call in calls if not is_for_all(call)]
        for row_id, calls in calls_of(sales).items()
        if row_id in ROWS
    }


def test_every_field_of_a_row_is_a_column_that_some_row_of_the_file_tells() -> None:
    header, *rows = lines(FILE.replace(",\nand", ", and"))
    columns = [place_of(name).field for name in header.split(",")]  # type: ignore[union-attr]  # all are known
    assert {*columns} == {*FIELDS} - {"account", "import_name"}  # the settings', and the command's --name
    assert all(any(row.split(",")[n] for row in rows) for n in range(len(columns)))
    assert len(rows) == len(ROWS) >= 12


def test_every_row_is_made(sales: Sales, imported: Any) -> None:
    assert (imported["code"], imported["published"], imported["bad"]) == (0, len(ROWS), 0)
    assert sales.states() == dict.fromkeys(ROWS, "created") | {"wrong": "replaced"}
    assert sales.path.ask("SELECT DISTINCT import_name FROM signup WHERE row_id <> 'wrong'") == [imported["import"]]


@pytest.mark.usefixtures("imported")
def test_each_row_asks_for_exactly_what_it_says_and_nothing_more(sales: Sales, made: dict[str, str]) -> None:
    identifiers = dict(sales.path.ask("SELECT row_id, identifier FROM signup"))
    told = {row_id: [[call["path"], call["sent"]] for call in calls] for row_id, calls in own_calls(sales).items()}
    assert told == {row_id: _filled(row_id, made | {"row": identifiers[row_id]}) for row_id in ROWS}


@pytest.mark.usefixtures("imported")
def test_each_price_and_the_product_are_asked_for_once(sales: Sales, made: dict[str, str]) -> None:
    asked = [call for of_it in calls_of(sales).values() for call in of_it if call["path"].startswith("/v1/pr")]
    assert Counter(call["path"] for call in asked) == Counter(
        [*(f"/v1/prices/{made[name]}" for name in ("tokens", "yearly", "yen")), PRODUCTS]
    )
    assert [call["sent"] for call in asked if call["path"] == PRODUCTS] == [SETUP_FEE]


@pytest.mark.usefixtures("imported")
def test_the_customers_subscriptions_are_listed_once_before_each_creation(sales: Sales, made: dict[str, str]) -> None:
    calls = [[call for call in of_it if call["path"] == LIST] for of_it in calls_of(sales).values()]
    assert [[call["method"] for call in of_it] for of_it in calls] == [["GET", "POST"]] * (len(ROWS) + 1)
    assert all(of_it[0]["sent"]["customer"] == of_it[1]["sent"]["customer"] for of_it in calls)
    assert {call["sent"]["customer"] for call, _ in calls} <= {*made.values()}
    assert all(
        call["sent"] | {"customer": ""} == {"customer": "", "status": "all", "limit": "100"} for call, _ in calls
    )


def test_no_call_is_made_that_is_not_written_down(sales: Sales, imported: Any) -> None:
    written = sales.path.ask("SELECT count(*) FROM signup_attempt")
    assert [len(sales.calls()) - imported["calls_before"]] == written


@pytest.mark.usefixtures("imported")
def test_each_creation_has_the_rows_name_as_its_key_and_no_quantity(sales: Sales) -> None:
    created = [call for call in sales.calls() if (call["method"], call["path"]) == ("POST", "/v1/subscriptions")]
    assert {call["idempotency_key"] for call in created} == {*sales.path.ask("SELECT identifier FROM signup")}
    assert all(call["idempotency_key"] == call["sent"]["metadata"]["meterpost_row"] for call in created)
    assert "quantity" not in json.dumps([call["sent"] for call in sales.calls() if call["client_request_id"]])
    writes = [call for call in sales.calls() if call["client_request_id"] and call["method"] == "POST"]
    assert all(call["idempotency_key"] for call in writes)


@pytest.mark.usefixtures("imported")
def test_the_same_file_again_asks_for_nothing(sales: Sales, made: dict[str, str]) -> None:
    before = len(sales.calls())
    sales.import_file(Template(FILE).substitute(made), name="again.csv")
    sales.work()
    assert len(sales.calls()) == before
    assert sales.path.ask("SELECT duplicates FROM intake ORDER BY intake_id")[-1] == len(ROWS)


def test_the_example_in_the_documents_is_made_as_it_stands_but_for_ids_and_instants(
    sales: Sales, made: dict[str, str]
) -> None:
    text = EXAMPLES
    for told, name in IN_THE_EXAMPLES.items():
        text = text.replace(told, made[name])
    for name in sorted({line.partition(",")[0] for line in lines(EXAMPLES) if line.startswith("cus_")}):
        text = text.replace(name, sales.customer(**BERLIN))
    sales.import_file(text)
    sales.work()
    assert {*sales.states().values()} == {"created"}


def test_the_most_that_a_row_may_say_is_taken(sales: Sales) -> None:
    words = {"invoice_memo": "é" * 1500, "footer": "日\n" * 2500}
    fields = {"custom_fields": [(f"{n:040}", "&" * 140) for n in range(4)]}
    made = sales.make(**words, **fields, metadata={f"{n:040}": "=" * 500 for n in range(49)})
    assert len(made.metadata.to_dict()) == 50
    assert len(made.invoice_settings.custom_fields) == 4
    assert (made.invoice_settings.description, made.invoice_settings.footer) == (*words.values(),)


@pytest.mark.parametrize("days", [0, 730])
def test_the_shortest_and_the_longest_trial_are_taken(sales: Sales, days: int) -> None:
    made = sales.make(trial_days=days)
    assert (made.trial_end and made.trial_end - made.trial_start) == (days * 86_400 or None)


def _filled(row_id: str, made: dict[str, str]) -> Any:
    return json.loads(Template(json.dumps(ROWS[row_id])).substitute(made))
