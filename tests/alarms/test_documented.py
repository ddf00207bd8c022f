"""What docs/alarms.md tells receivers is what is posted."""

import json
import re
from typing import Any

from local.guarded import ROOT
from service.alarms import KINDS

PAGE = (ROOT / "docs" / "alarms.md").read_text()
JSON = re.compile(r"^```json\n(.*?)^```", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PRICED = """
UPDATE alarm SET amount = 20000, amount_rounded = 20000, currency = 'usd', rated_by = 'price_1'
"""


def test_the_example_has_the_fields_of_what_is_posted(world: Any, poster: Any, listener: Any) -> None:
    world.wrong()
    world.watch(is_posting=False)  # rated: no meter is named, so nobody looks at its money again
    world.write(PRICED)
    world.watch()
    poster.post_due()

    (example,) = JSON.findall(PAGE)
    (posted,) = listener.bodies
    assert _shape(json.loads(example)) == _shape(posted)


def test_the_page_has_the_verifier_of_the_examples() -> None:
    (shown,) = PYTHON.findall(PAGE)
    lines = (ROOT / "examples" / "verify_alarm.py").read_text()
    assert all(line in lines for line in shown.splitlines())


def test_the_page_names_every_kind() -> None:
    assert [kind.name for kind in KINDS if f"| `{kind.name}` |" not in PAGE] == []


def _shape(value: Any) -> Any:
    return {name: _shape(inside) for name, inside in value.items()} if isinstance(value, dict) else None
