"""Rate cards of TOML and YAML as they are read: exactly, with every mistake by its path, and whatever comes."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.guarded import ROOT
from service.ratecard import CardRefused, Problem, RateCard, load, parse
from service.rating import Mode, Package, Rounding, Terms, Tier, rate
from tests.ratecard.conftest import CARD, metric

YAML = b"""\
currency: usd
metrics:
  - metric: calls
    unit: call
    included: 10
    mode: graduated
    tiers:
      - {up_to: 100, price: 0.10}
      - {up_to: inf, price: "0.05", flat: 1}
"""


def problems(body: bytes, suffix: str = ".toml") -> list[str]:
    with pytest.raises(CardRefused) as refused:
        parse(body, suffix=suffix)
    return [str(problem) for problem in refused.value.problems]


def terms(*lines: str, currency: str = "usd") -> Terms:
    return parse(metric(*lines, currency=currency), suffix=".toml").rates[0].terms


def test_a_metric_needs_a_name_a_unit_and_a_price():
    (found,) = parse(CARD.encode(), suffix=".toml").rates
    assert (found.metric, found.unit, found.formula, found.interval) == ("calls", "call", "sum", ("month", 1))
    assert (found.display_name, found.product, found.lookup_key) == ("calls", "calls", "calls_month_usd")
    assert found.terms == Terms(currency="usd", unit_amount=Decimal("0.2"))


def test_toml_and_yaml_tell_the_same_card():
    lines = ["included = 10", 'mode = "graduated"']
    tiers = 'tiers = [{ up_to = 100, price = 0.1 }, { up_to = "inf", price = "0.05", flat = 1 }]'
    assert parse(YAML, suffix=".yaml") == parse(metric(*lines, tiers), suffix=".toml")


def test_the_example_is_a_card():
    card = load(ROOT / "examples" / "ratecard.toml")
    assert set(card.units) == {"api_requests", "gigabytes_stored", "emails_sent", "seats_audited"}
    requests = card.rate_of("api_requests")
    assert requests is not None
    assert rate(requests.terms, Decimal(250_000)).amount == 3_000


@given(st.decimals(min_value=0, max_value=10**9, places=14))
def test_amounts_are_read_to_the_last_digit(amount: Decimal):
    toml = parse(metric(f"price = {amount:f}"), suffix=".toml").rates[0].terms
    yaml = parse(f"currency: usd\nmetrics: [{{metric: calls, unit: call, price: {amount:f}}}]".encode(), suffix=".yml")
    assert toml.unit_amount == yaml.rates[0].terms.unit_amount == amount * 100


@pytest.mark.parametrize(("currency", "minor"), [("usd", 150), ("jpy", Decimal("1.5")), ("kwd", 1_500)])
def test_amounts_are_in_the_currency_itself(currency: str, minor: Decimal):
    assert terms("price = 1.5", currency=currency).unit_amount == minor


def test_included_units_are_a_first_tier_without_a_price():
    free = Tier(up_to=1_000)
    assert terms("included = 1_000", "price = 2").tiers == (free, Tier(up_to=None, unit_amount=Decimal(200)))


def test_a_package_is_billed_as_the_card_rounds_it():
    found = terms("price = 2", "package = 1_000", 'rounding = "down"')
    assert found.package == Package(size=1_000, rounding=Rounding.DOWN)


def test_volume_is_as_written():
    found = terms('mode = "volume"', 'tiers = [{ up_to = 5, price = 1 }, { up_to = inf, flat = "9.5" }]')
    assert (found.mode, found.tiers[1]) == (Mode.VOLUME, Tier(up_to=None, flat_amount=Decimal(950)))


def tiers(*told: str) -> list[str]:
    return ['mode = "graduated"', f"tiers = [{', '.join(told)}]"]


UP_TO_5, ENDLESS = "{ up_to = 5, price = 1 }", '{ up_to = "inf", price = 1 }'


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], "metrics[0].price: is missing; write the price of a unit (of a package, where there is one), or tiers"),
        (["price = 1", *tiers(ENDLESS)], "metrics[0].price: stands beside tiers; keep one of them"),
        (["price = -1"], 'metrics[0].price: -1 is no amount; write digits with at most one point, such as "0.0025"'),
        (["price = true"], "metrics[0].price: true is no amount; write"),
        (["price = nan"], "metrics[0].price: NaN is no amount; write"),
        (["price = 1e999999999"], "metrics[0].price: 1E+999999999 is no amount; write"),
        (['price = "1,50"'], "metrics[0].price: '1,50' is no amount; write"),
        (['price = "007"'], "metrics[0].price: '007' is no amount; write"),
        (["price = 0.123456789012345"], "metrics[0].price: has more than 14 decimal places, which Stripe refuses; ro"),
        (["prise = 1"], "metrics[0].prise: is not a key of a metric; did you mean price?"),
        (["price = 1", 'formula = "mean"'], "metrics[0].formula: 'mean' is not known; write sum, count or last"),
        (
            ["price = 1", 'currency = "USD"'],
            "metrics[0].currency: 'USD' is no currency that Stripe charges in; write its",
        ),
        (["price = 1", 'reset = "never"'], "metrics[0].reset: 'never' is not known; write day, week, month, quarter"),
        (["price = 1", 'mode = "volume"'], "metrics[0].mode: stands without tiers; write tiers or leave it out"),
        (["price = 1", "package = 0", 'rounding = "up"'], "metrics[0].package: 0 is no number of units; write"),
        (["price = 1", "package = 9"], "metrics[0].rounding: is missing beside package; write up (a package that was"),
        (["price = 1", 'rounding = "up"'], "metrics[0].package: is missing beside rounding; write its size"),
        (["price = 1", "package = 9", 'rounding = "up"', "included = 1"], "metrics[0].included: stands beside package"),
        (["price = 1", "typical = 5"], "metrics[0].typical: is not 1 to 20 usages; write a list of them"),
        (["price = 1", "2024-01-01 = 2"], "metrics[0].2024-01-01: is not a key of a metric; a metric has metric, unit"),
        (["price = 2024-01-01"], "metrics[0].price: a value of type date is no amount; write"),
        ([f"tiers = [{ENDLESS}]"], "metrics[0].mode: is missing beside tiers; write graduated (each unit at its own"),
        (['mode = "volume"', f"tiers = [{ENDLESS}]", "included = 1"], "metrics[0].included: stands beside volume"),
        (tiers(UP_TO_5), 'metrics[0].tiers[0].up_to: is 5, and more has no price; write "inf" in the last tier'),
        (tiers(UP_TO_5, UP_TO_5, ENDLESS), "metrics[0].tiers[1].up_to: is 5, which is not above the tier before (5)"),
        (tiers(ENDLESS, ENDLESS), 'metrics[0].tiers[0].up_to: is "inf" before the last tier; write its last unit'),
        (["included = 5", *tiers(UP_TO_5, ENDLESS)], "metrics[0].tiers[0].up_to: is 5, which is not above the incl"),
        (tiers("{ up_to = 5.5, price = 1 }", ENDLESS), "metrics[0].tiers[0].up_to: 5.5 is no end of a tier; write"),
        (tiers("{ price = 1 }"), 'metrics[0].tiers[0].up_to: is missing; write "inf" where the tier is the last'),
        (tiers('{ up_to = "inf" }'), "metrics[0].tiers[0].price: is missing; write the price of a unit, 0 where"),
        (tiers("{ upto = 5, price = 1 }", ENDLESS), "metrics[0].tiers[0].upto: is not a key of a tier; did you mean"),
        (["tiers = []"], "metrics[0].tiers: is not 1 to 100 tiers; write a list of them"),
        (["tiers = [1]", 'mode = "volume"'], "metrics[0].tiers[0]: is not a mapping of keys to values"),
    ],
)
def test_a_mistake_is_told_by_its_path_and_its_remedy(lines: list[str], told: str):
    assert any(problem.startswith(told) for problem in problems(metric(*lines))), problems(metric(*lines))


def test_all_mistakes_are_told_at_once():
    two = b'[[metrics]]\nmetric = "A"\nunit = ""\nprice = 1\n[[metrics]]\nmetric = "b"\nprice = "x"\n'
    paths = [problem.partition(":")[0] for problem in problems(two)]
    fields = ["metrics[0].metric", "metrics[0].unit", "metrics[1].unit", "metrics[1].price"]
    assert paths == [*fields, "metrics[0].currency", "metrics[1].currency"]


MISTAKEN = """
currency = "usd"
[[metrics]]
metric = "a"
price = 1.123456789012345
typo = 1
mode = "volume"
[[metrics]]
metric = "a"
unit = "x"
price = 2
[[metrics]]
metric = "b"
unit = "x"
mode = "graduated"
price = "-"
tiers = [{ up_to = 5, price = "-" }, { up_to = 3, price = 1 }, { price = 1 }, { up_to = 9 }]
"""


def test_mistakes_of_every_kind_are_told_in_one_reading():
    paths = sorted(problem.partition(":")[0] for problem in problems(MISTAKEN.encode()))
    first, last = "mode price typo unit", "price price tiers[0].price tiers[1].up_to tiers[2].up_to"
    assert paths == [
        *(f"metrics[0].{name}" for name in first.split()),
        "metrics[1].metric",
        *(f"metrics[2].{name}" for name in last.split()),
        *(f"metrics[2].tiers[3].{name}" for name in ("price", "up_to")),
    ]


@pytest.mark.parametrize(("line", "path"), [('currency = "xyz"', "metrics[0].currency"), ("unit = 1", "currency")])
def test_a_currency_that_stripe_does_not_charge_in_is_told_once_by_its_path(line: str, path: str):
    of_card = "xyz" if path == "currency" else "usd"
    card = f'currency = "{of_card}"\n[[metrics]]\nmetric = "a"\nprice = 1\n{line}\n'
    told = [problem for problem in problems(card.encode()) if "currency" in problem]
    assert told == [f"{path}: 'xyz' is no currency that Stripe charges in; write its code in lower case, such as usd"]


@pytest.mark.parametrize(
    ("card", "told"),
    [
        ("", ["metrics: is missing; write a list of metrics"]),
        ("metrics = []", ["metrics: is not 1 to 1,000 metrics; write a list of them"]),
        ("metrics = 5", ["metrics: is not 1 to 1,000 metrics; write a list of them"]),
        (
            CARD.partition("\n")[2],
            ["metrics[0].currency: is missing here and for the whole card; write one, such as usd"],
        ),
        (
            CARD + CARD.partition("\n")[2],
            ["metrics[1].metric: calls is in metrics[0] already; write one rate a metric"],
        ),
        ("currancy = 'usd'\n" + CARD, ["currancy: is not a key of a rate card; did you mean currency?"]),
    ],
)
def test_the_card_as_a_whole_is_judged(card: str, told: list[str]):
    assert problems(card.encode()) == told


def test_two_rates_cannot_have_one_lookup_key():
    second = '[[metrics]]\nmetric = "others"\nunit = "call"\nprice = 1\nlookup_key = "calls_month_usd"\n'
    assert problems(f"{CARD}{second}".encode()) == [
        "metrics[1].lookup_key: is that of metrics[0] already; write another one"
    ]


BOMB = b"a: &a [x, x, x, x]\nb: &b [*a, *a, *a, *a]\nc: [*b, *b, *b, *b]\n"


@pytest.mark.parametrize(
    ("body", "suffix", "told"),
    [
        (BOMB, ".yaml", "line 1: anchors and aliases are not read; write it out"),
        (b"metrics: *nowhere", ".yaml", "line 1: anchors and aliases are not read; write it out"),
        (
            b"a: !!python/object/apply:os.system [x]",
            ".yaml",
            "line 1: the tag 'tag:yaml.org,2002:python/object/apply:o",
        ),
        (b"a: !x y", ".yaml", "line 1: the tag '!x' is not read; leave it out"),
        (b"a: 1\na: 2", ".yaml", "line 2: a is there twice; keep one"),
        (b"a: 1\n---\nb: 2", ".yaml", "line 2: another document begins; a card is one"),
        (b"? [a]\n: 1", ".yaml", "line 1: a key is a word, not a list or a mapping"),
        (b"[" * 100_000, ".yaml", "line 1: is nested too deeply"),
        (b"- " * 100_000, ".yaml", "line 1: is nested too deeply"),
        (b"a: [1", ".yaml", "is not YAML: line 1: "),
        (b"a:\tb: c", ".yaml", "is not YAML: line 1: "),
        (b"5", ".yaml", "is not a mapping; a card has metrics"),
        (b"", ".yaml", "is not a mapping; a card has metrics"),
        (b"\xff\xfe", ".yaml", "is not UTF-8 at byte 0; save it as UTF-8"),
        (b"a: \x00", ".yaml", "is not YAML: "),
        (b"#" * (256 * 1024 + 1), ".yaml", "is longer than 256 KiB; no rate card needs that"),
        (b"a = " + b"[" * 100_000, ".toml", "is nested too deeply"),
        (b"a = " + b"9" * 100_000, ".toml", "is not TOML: "),
        (b"a = 1\na = 2", ".toml", "is not TOML: "),
        (b"a = ", ".toml", "is not TOML: "),
    ],
)
def test_a_hostile_file_is_refused_with_a_sentence(body: bytes, suffix: str, told: str):
    (found,) = problems(body, suffix)
    assert found.startswith(told)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode), st.sampled_from([".toml", ".yaml"]))
def test_any_bytes_are_a_card_or_refused(body: bytes, suffix: str):
    try:
        read: RateCard | CardRefused = parse(body, suffix=suffix)
    except CardRefused as refused:
        read = refused
    assert isinstance(read, RateCard) or all(isinstance(problem, Problem) for problem in read.problems)


@pytest.mark.parametrize(("name", "told"), [("card.json", "card.json is not called .toml"), ("none.toml", "cannot be")])
def test_a_file_that_is_none_is_refused(tmp_path: Path, name: str, told: str):
    with pytest.raises(CardRefused, match=told):
        load(tmp_path / name)


def test_words_that_yaml_once_read_as_something_else_stay_words():
    body = b"currency: usd\nmetrics: [{metric: no, unit: off, price: 1, display_name: 1e3, lookup_key: 0x1F}]"
    (found,) = parse(body, suffix=".yaml").rates
    assert (found.metric, found.unit, found.display_name, found.lookup_key) == ("no", "off", "1e3", "0x1F")
