"""A file of TOML or YAML as a tree of dicts, lists, texts and exact numbers. Bounded and total.

TOML is read by the standard library, which is asked for Decimals. Of YAML the events of PyYAML's parser are taken, and
nothing else of it: no object is made of a tag, no alias repeats what stands elsewhere (a few lines of them unfold to
gigabytes), no key comes twice, and plain words are read as YAML 1.2 reads them, so that `no` stays a word and no number
passes through a float.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

import yaml
from yaml import events as told

Tree = object
"""dict[str, Tree], list[Tree], str, int, Decimal, bool or None; of TOML also its dates."""

BYTES_MAX = 256 * 1024  # a thousand metrics with ten tiers each; no card of a person's is longer
DEPTH_MAX = 8  # a card has four levels
NUMBER_LENGTH_MAX = 40  # digits of a number; what is longer stays a word, which no amount is
FORMATS = (".toml", ".yaml", ".yml")

_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}


class Unreadable(Exception):
    """The text is no TOML or YAML as a card may have it; says where and why."""


def read_tree(body: bytes, *, suffix: str) -> Tree:
    """Raises Unreadable, and nothing else, whatever the bytes are."""
    if len(body) > BYTES_MAX:
        raise Unreadable(f"is longer than {BYTES_MAX // 1024} KiB; no rate card needs that")
    try:
        text = body.decode("utf-8-sig")
        return _read_toml(text) if suffix == ".toml" else _read_yaml(text)
    except UnicodeDecodeError as wrong:
        raise Unreadable(f"is not UTF-8 at byte {wrong.start}; save it as UTF-8") from None
    except RecursionError:
        raise Unreadable("is nested too deeply; a card has metrics, and metrics have tiers") from None


def _read_toml(text: str) -> Tree:
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except (ValueError, InvalidOperation) as wrong:  # a number of thousands of digits is a ValueError too
        raise Unreadable(f"is not TOML: {wrong}") from None


def _read_yaml(text: str) -> Tree:
    building = _Building()
    try:
        for event in _events(text):
            building.take(event)
    except yaml.YAMLError as wrong:
        raise Unreadable(f"is not YAML: {_on_one_line(wrong)}") from None
    return building.root


def _events(text: str) -> Iterator[yaml.Event]:
    yield from yaml.parse(text, Loader=yaml.SafeLoader)


@dataclass(slots=True, kw_only=True)
class _Building:
    """The tree as far as it is told; `open` are the dicts and lists around the next event."""

    root: Tree = None
    documents: int = 0
    open: list[dict[str, Tree] | list[Tree]] = field(default_factory=list)
    key: str | None = None  # of the innermost dict, where its value comes next

    def take(self, event: yaml.Event) -> None:
        match event:
            case told.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    raise Unreadable(f"{_at(event)}: another document begins; a card is one")
            case told.AliasEvent() | told.NodeEvent(anchor=str()):
                raise Unreadable(f"{_at(event)}: anchors and aliases are not read; write it out")
            case told.ScalarEvent():
                _refuse_tag(event)
                self._put_scalar(event)
            case told.MappingStartEvent() | told.SequenceStartEvent():
                _refuse_tag(event)
                self._begin({} if isinstance(event, told.MappingStartEvent) else [], event)
            case told.MappingEndEvent() | told.SequenceEndEvent():
                self.open.pop()
            case _:
                pass  # the stream's and the document's own ends

    def _put_scalar(self, event: told.ScalarEvent) -> None:
        if self._awaits_key():
            self._put_key(event)
        else:
            self._put(event.value if event.style else _plain(event.value))

    def _put_key(self, event: told.ScalarEvent) -> None:
        mapping = self.open[-1]
        if event.value in mapping:
            raise Unreadable(f"{_at(event)}: {event.value[:NUMBER_LENGTH_MAX]} is there twice; keep one")
        self.key = event.value

    def _begin(self, inner: dict[str, Tree] | list[Tree], event: yaml.Event) -> None:
        if self._awaits_key():
            raise Unreadable(f"{_at(event)}: a key is a word, not a list or a mapping")
        if len(self.open) == DEPTH_MAX:
            raise Unreadable(f"{_at(event)}: is nested too deeply; a card has metrics, and metrics have tiers")
        self._put(inner)
        self.open.append(inner)

    def _awaits_key(self) -> bool:
        return bool(self.open) and isinstance(self.open[-1], dict) and self.key is None

    def _put(self, value: Tree) -> None:
        match self.open[-1] if self.open else None:
            case list() as items:
                items.append(value)
            case dict() as mapping:
                assert self.key is not None, "a value follows its key"
                mapping[self.key], self.key = value, None
            case _:
                self.root = value


def _plain(text: str) -> Tree:
    """A plain scalar by YAML 1.2's core schema; what it would read as octal, hex or a float with exponent is a word."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if len(text) > NUMBER_LENGTH_MAX:
        return text
    if _WHOLE.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else text


def _refuse_tag(event: told.ScalarEvent | told.CollectionStartEvent) -> None:
    if event.tag is not None:
        raise Unreadable(f"{_at(event)}: the tag {event.tag[:NUMBER_LENGTH_MAX]!r} is not read; leave it out")


def _at(event: yaml.Event) -> str:
    return f"line {event.start_mark.line + 1}" if event.start_mark else "somewhere"


def _on_one_line(wrong: yaml.YAMLError) -> str:
    mark, problem = getattr(wrong, "problem_mark", None), getattr(wrong, "problem", None)
    place = f"line {mark.line + 1}: " if mark else ""
    return place + " ".join(str(problem or wrong).split())
