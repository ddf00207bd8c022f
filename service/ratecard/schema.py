"""The shape of a rate card: what may stand where, and every mistake by its path, with what to write instead.

What belongs together is judged beside fields that are wrong by themselves, so that all is told at once: a field that is
there and wrong is missing from what was read, and nothing is concluded from its value.
"""

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from service.ratecard import rules
from service.ratecard.trees import Tree

METRICS_MAX: Final = 1_000
TIERS_MAX: Final = 100
TYPICAL_MAX: Final = 20
PROBLEMS_MAX: Final = 100  # told at once; a card with more is wrong as a whole
_NAME_LENGTH_MAX: Final = 60  # of an unknown key, as it is told
_Errors = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """`path` is such as `metrics[2].tiers[1].up_to`; empty for the card as a whole."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}" if self.path else self.text


class _Ruled(fields.Field[Any]):
    """A field that is read by a rule of `rules.py`."""

    default_error_messages = {"null": "is null; write a value or leave the key out"}  # noqa: RUF012 (marshmallow's)

    def __init__(self, rule: rules.Rule, *, missing: str = "is missing", **options: Any) -> None:
        super().__init__(error_messages={"required": missing}, **options)
        self.rule = rule

    def _deserialize(self, value: object, *_: object, **__: object) -> object:
        return self.rule(value)


def _list(inner: fields.Field[Any], *, of: str, longest: int, **options: Any) -> fields.List[Any]:
    wrong = f"is not 1 to {longest:,} {of}; write a list of them"
    told: dict[str, Any] = {"required": f"is missing; write a list of {of}", "invalid": wrong, "null": wrong}
    length = validate.Length(min=1, max=longest, error=wrong)
    return fields.List(inner, validate=length, error_messages=told, **options)


class _Strict(Schema):
    class Meta:
        unknown = RAISE

    error_messages = {"type": "is not a mapping of keys to values"}  # noqa: RUF012 (marshmallow's)


class TierSchema(_Strict):
    up_to = _Ruled(
        rules.read_up_to, required=True, missing=f'is missing; write "{rules.INFINITE}" where the tier is the last'
    )
    price = _Ruled(rules.read_amount, load_default=None)
    flat = _Ruled(rules.read_amount, load_default=None)

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def costs_something(self, tier: Mapping[str, Any], written: object, **_: object) -> None:
        if isinstance(written, dict) and not _said(tier, written, ("price", "flat")):
            raise ValidationError({"price": ["is missing; write the price of a unit, 0 where they are free"]})


class MetricSchema(_Strict):
    metric = _Ruled(rules.read_metric, required=True, missing="is missing; write the meter's event_name")
    unit = _Ruled(rules.read_unit, required=True, missing='is missing; write what is counted, such as "request"')
    display_name = _Ruled(rules.read_text, load_default=None)
    product = _Ruled(rules.read_text, load_default=None)
    formula = _Ruled(rules.one_of(rules.FORMULAS), load_default="sum")
    currency = _Ruled(rules.read_currency, load_default=None)
    reset = _Ruled(rules.one_of(tuple(rules.RESETS)), load_default=None)
    included = _Ruled(rules.read_included, load_default=0)
    price = _Ruled(rules.read_amount, load_default=None)
    package = _Ruled(rules.read_count, load_default=None)
    rounding = _Ruled(rules.one_of(rules.ROUNDINGS), load_default=None)
    mode = _Ruled(rules.one_of(rules.MODES), load_default=None)
    tiers = _list(fields.Nested(TierSchema), of="tiers", longest=TIERS_MAX, load_default=None)
    lookup_key = _Ruled(rules.read_lookup_key, load_default=None)
    typical = _list(_Ruled(rules.read_usage), of="usages", longest=TYPICAL_MAX, load_default=())

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def belongs_together(self, metric: Mapping[str, Any], written: object, **_: object) -> None:
        if isinstance(written, dict) and (wrong := dict(_unfit(metric, written))):
            raise ValidationError({name: [text] for name, text in wrong.items()})

    @validates_schema(skip_on_field_errors=False)
    def tiers_rise(self, metric: Mapping[str, Any], **_: object) -> None:
        if metric.get("tiers") and (wrong := dict(_unfit_ends(metric))):
            raise ValidationError({"tiers": {number: {"up_to": [text]} for number, text in wrong.items()}})


class CardSchema(_Strict):
    currency = _Ruled(rules.read_currency, load_default=None)
    reset = _Ruled(rules.one_of(tuple(rules.RESETS)), load_default="month")
    metrics = _list(fields.Nested(MetricSchema), of="metrics", longest=METRICS_MAX, required=True)


CARD: Final = CardSchema()
_LEVELS: Final = (CARD, MetricSchema(), TierSchema())  # by how many lists a path goes through
_KINDS: Final = ("a rate card", "a metric", "a tier")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """What the card says, each field read; those that are wrong are missing, and among the problems."""

    said: Mapping[str, Any]
    problems: list[Problem]


def read_fields(tree: Tree) -> Fields:
    if not isinstance(tree, dict):
        text = "is not a mapping; a card has metrics, and for all of them currency and reset"
        return Fields(said={}, problems=[Problem(path="", text=text)])
    try:
        return Fields(said=CARD.load(tree), problems=[])
    except ValidationError as refused:
        messages = cast("Mapping[Any, Any]", refused.normalized_messages())  # type: ignore[no-untyped-call]
        return Fields(said=cast("Mapping[str, Any]", refused.valid_data), problems=list(_problems(messages, ())))


def path_of(parts: tuple[str | int, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{_printable(part)}" for part in parts)
    return text.removeprefix(".")


def _problems(messages: Any, parts: tuple[str | int, ...]) -> Iterator[Problem]:
    if isinstance(messages, Mapping):
        for part, inner in messages.items():
            yield from _problems(inner, parts if part == "_schema" else (*parts, part))
        return
    for text in messages:
        yield Problem(path=path_of(parts), text=_explain_unknown(parts) if text == "Unknown field." else text)


def _explain_unknown(parts: tuple[str | int, ...]) -> str:
    level = sum(isinstance(part, int) for part in parts)
    known, kind = list(_LEVELS[level].fields), _KINDS[level]
    nearest = _nearest(parts[-1], known)
    hint = f"did you mean {nearest[0]}?" if nearest else f"{kind} has {', '.join(known)}"
    return f"is not a key of {kind}; {hint}"


def _nearest(name: object, known: Collection[str]) -> list[str]:
    return difflib.get_close_matches(str(name)[:_NAME_LENGTH_MAX], known, n=1)


def _said(told: Mapping[str, Any], written: Mapping[str, Any], names: Collection[str]) -> set[str]:
    """Which of these are there: right, wrong, or so written that they are meant."""
    meant = {near for name in written if name not in told for near in _nearest(name, names)}
    return meant | {name for name in names if name not in told or told[name] is not None}


def _unfit(metric: Mapping[str, Any], written: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is there without what it needs, or beside what excludes it."""
    has = _said(metric, written, ("price", "tiers", "mode", "package", "rounding"))
    included = metric.get("included")
    if "price" in has and "tiers" in has:
        yield "price", "stands beside tiers; keep one of them"
    if not has & {"price", "tiers"}:
        yield "price", "is missing; write the price of a unit (of a package, where there is one), or tiers"
    if "tiers" in has and "mode" not in has:
        yield (
            "mode",
            "is missing beside tiers; write graduated (each unit at its own tier) or volume (all at the total's)",
        )
    if "mode" in has and "tiers" not in has:
        yield "mode", "stands without tiers; write tiers or leave it out"
    if "package" in has and "tiers" in has:
        yield "package", "stands beside tiers, and Stripe has no packages in tiers; keep one of them"
    if ("package" in has) != ("rounding" in has):
        missing, there = ("rounding", "package") if "package" in has else ("package", "rounding")
        wanted = "write up (a package that was begun is billed) or down" if missing == "rounding" else "write its size"
        yield missing, f"is missing beside {there}; {wanted}"
    if included and "package" in has:
        yield "included", "stands beside package, and Stripe has no packages in tiers; keep one of them"
    if included and metric.get("mode") == "volume":
        yield (
            "included",
            "stands beside volume, where beyond the first tier nothing is free; write a first tier with price 0",
        )


def _unfit_ends(metric: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    tiers, below = metric["tiers"], metric.get("included", 0)
    what = "the included units" if below else "nothing"
    for number, tier in enumerate(tiers):
        if "up_to" not in tier:
            continue
        end, is_last = tier["up_to"], number == len(tiers) - 1
        if is_last and end is not None:
            yield number, f'is {end}, and more has no price; write "{rules.INFINITE}" in the last tier'
        elif not is_last and end is None:
            yield number, f'is "{rules.INFINITE}" before the last tier; write its last unit'
        elif end is not None and end <= below:
            yield number, f"is {end}, which is not above {what} ({below}); write a larger number"
        if end is not None:
            below, what = end, "the tier before"


def _printable(name: object) -> str:
    text = str(name)
    return (text if text.isprintable() else ascii(text))[:_NAME_LENGTH_MAX]
