"""Style is a test: how this code reads, as far as a program can tell."""

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("client", "service", "workers", "webhooks", "local", "cli", "sandbox", "bench", "chaos", "model")
FUNCTION_LINES_MAX = 40
MODULE_LINES_MAX = 300
TEST_LINES_MAX = 15
POSITIONAL_MAX = 3
DEPTH_MAX = 2  # folders below a top level one

Function = ast.FunctionDef | ast.AsyncFunctionDef

# Who may import whom; a folder may always import itself.
IMPORTS = {
    "cli": {"local", "service", "meterpost"},
    "local": {"service", "meterpost"},
    "workers": {"service", "meterpost"},
    "webhooks": {"service", "meterpost"},
    "service": {"meterpost"},
    "client": {"meterpost"},
    "sandbox": set[str](),
    "bench": {"local"},
    "chaos": {"cli", "local", "service", "workers", "webhooks", "meterpost"},
    "model": {"local", "service", "workers"},
}
OURS = {"cli", "local", "workers", "webhooks", "service", "sandbox", "bench", "chaos", "model", "meterpost"}
# Words that say nothing, and words that have another name here (the table at the top of ARCHITECTURE.md).
BANNED = {"handle", "handler", "manage", "manager", "util", "utils", "helper", "helpers", "common", "data", "info"}
BANNED_VERBS = {"process", "do", "sync"}  # as the first word: `process_rows`; elsewhere they are nouns of the world
BANNED_NOUNS = {"record", "payload", "notification"}  # of classes: a row, an entry, an event
FOREIGN = {  # names and signatures that another library chose
    "do_POST": "http.server",
    "handleError": "logging.Handler",
    "info": "redis.Redis",
    "request": "stripe.HTTPClient",
}
MONEY = ("service/rating.py", "service/currencies.py", "service/money.py", "service/ratecard/*", "cli/ratecard*.py")
OTHER_MACHINES = re.compile(
    r"https?://[^\s\"'`)]*(?:pypi|pythonhosted|artifactory|nexus|mirror)|--(?:extra-)?index-url"
)
MACHINE_PATHS = re.compile(r"(?<![\w.$~}])/(?:work|root|home/\w+|Users/\w+)/")
TEXT = {".py", ".sql", ".lua", ".md", ".toml", ".yaml", ".yml", ".conf", ".in", ".lock", ".service", ".target", ".csv"}


IGNORED = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines()] + [".git"]


def _files(folder: Path) -> Iterator[Path]:
    """Every file of the project, without asking git: a machine needs only Python and make."""
    for path in sorted(folder.iterdir()):
        if any(fnmatch(path.name, pattern) for pattern in IGNORED):
            continue
        if path.is_dir():
            yield from _files(path)
        else:
            yield path


FILES = list(_files(ROOT))
MODULES = [path for path in FILES if path.suffix == ".py"]
OWN = [path for path in MODULES if path.relative_to(ROOT).parts[0] in PACKAGES]
TESTS = [path for path in MODULES if path.relative_to(ROOT).parts[0] == "tests"]
SQL = [path for path in FILES if path.suffix == ".sql"]


@cache
def _text(path: Path) -> str:
    return path.read_text()


@cache
def _lines_of(path: Path) -> list[str]:
    return _text(path).splitlines()


@cache
def _nodes(path: Path) -> list[ast.AST]:
    """Every node of a module, the module first; parsed once, and by those alone who run these tests."""
    return list(ast.walk(ast.parse(_text(path))))


def _at(path: Path, line: int | None = None) -> str:
    return f"{path.relative_to(ROOT)}" + (f":{line}" if line else "")


def _functions(path: Path) -> Iterator[Function]:
    return (node for node in _nodes(path) if isinstance(node, Function))


def _lines(node: Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _body_lines(path: Path, node: Function) -> int:
    """Without what names it and its fixtures, and without the blank lines around the act."""
    lines = _lines_of(path)[node.body[0].lineno - 1 : node.end_lineno]
    return sum(bool(line.strip()) for line in lines)


def _words(name: str) -> list[str]:
    """`rows_to_seal` and `RowsToSeal` as words."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).strip("_").lower().split("_")


def _names(path: Path) -> Iterator[tuple[str, int]]:
    yield path.stem, 1
    for node in _nodes(path):
        if isinstance(node, Function | ast.ClassDef):
            yield node.name, node.lineno


def _imported(path: Path) -> Iterator[tuple[str, int]]:
    """Top-level packages that a module imports, wherever in it, with the line."""
    for node in _nodes(path):
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.partition(".")[0], node.lineno


def _importers(package: str) -> set[str]:
    return {_at(path) for path in OWN if package in {name for name, _ in _imported(path)}}


def _texts(paths: list[Path] = FILES) -> Iterator[tuple[Path, int, str]]:
    for path in paths:
        if path.suffix in TEXT or path.suffix == "":
            for number, line in enumerate(_lines_of(path), start=1):
                yield path, number, line


def test_functions_have_at_most_40_lines():
    long = {_at(path, f.lineno): _lines(f) for path in MODULES for f in _functions(path)}
    assert {place: lines for place, lines in long.items() if lines > FUNCTION_LINES_MAX} == {}


def test_modules_have_at_most_300_lines():
    lines = {_at(path): len(_lines_of(path)) for path in MODULES}
    assert {place: count for place, count in lines.items() if count > MODULE_LINES_MAX} == {}


def test_tests_have_at_most_15_lines():
    tests = {
        _at(path, f.lineno): _body_lines(path, f)
        for path in TESTS
        for f in _functions(path)
        if f.name.startswith("test_")
    }
    assert {place: lines for place, lines in tests.items() if lines > TEST_LINES_MAX} == {}


def test_every_module_opens_with_a_docstring():
    assert [_at(path) for path in MODULES if not ast.get_docstring(_nodes(path)[0])] == []


def test_every_sql_file_opens_with_a_comment():
    assert [_at(path) for path in SQL if not _text(path).startswith("-- ")] == []


def test_every_statement_is_used_by_name():
    strings = {
        node.value
        for path in OWN
        for node in _nodes(path)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    statements = {path.stem for path in SQL if path.parent.name == "sql"}
    assert statements
    assert statements - strings == set()


def test_sql_keywords_are_upper_case():
    lower = re.compile(
        r"^\s*(?:select|from|where|(?:left |cross )?join|order by|group by|insert into|update|delete from|set|values"
        r"|with|returning|limit|on conflict|create)\b"
    )
    assert [_at(path, number) for path, number, line in _texts(SQL) if lower.search(line)] == []


def test_a_limit_on_what_is_locked_holds_by_any_plan():
    limited = [path for path in SQL if "SKIP LOCKED" in _text(path) and "LIMIT" in _text(path)]
    assert limited
    assert [_at(path) for path in limited if "AS MATERIALIZED (" not in _text(path)] == []


def test_imports_go_one_way():
    wrong = [
        f"{_at(path, line)} imports {name}"
        for path in OWN
        for top in [path.relative_to(ROOT).parts[0]]
        for name, line in _imported(path)
        if name in OURS - IMPORTS[top] - {top}
    ]
    assert wrong == []


def test_one_file_of_the_service_imports_stripe():
    assert {place for place in _importers("stripe") if place.startswith("service")} == {"service/gateway.py"}


def test_flask_stays_in_the_door_and_in_what_it_is_compared_with():
    assert {place for place in _importers("flask") if not place.startswith("webhooks/")} == {"bench/plain_door.py"}


def test_the_service_has_no_loop_of_its_own_and_waits_for_the_limiter_alone():
    service = [path for path in FILES if path.relative_to(ROOT).parts[0] == "service"]
    lines = [(_at(path), line) for path, _, line in _texts(service)]
    assert {place for place, line in lines if "while True:" in line} == set()
    assert {place for place, line in lines if "sleep(" in line} == {"service/limiter.py"}


def test_money_is_never_a_float():
    nodes = [(path, node) for path in OWN if _is_money(path) for node in _nodes(path)]
    assert [_at(path, node.lineno) for path, node in nodes if isinstance(node, ast.Name) and node.id == "float"] == []
    numbers = [(path, node) for path, node in nodes if isinstance(node, ast.Constant)]
    assert [_at(path, node.lineno) for path, node in numbers if isinstance(node.value, float)] == []


def _is_money(path: Path) -> bool:
    return any(fnmatch(_at(path), pattern) for pattern in MONEY)


def test_names_say_what_is_meant():
    vague = [
        f"{_at(path, line)} {name}"
        for path in OWN
        for name, line in _names(path)
        if name not in FOREIGN and (BANNED & {*_words(name)} or _words(name)[0] in BANNED_VERBS)
    ]
    assert vague == []


def test_classes_are_called_by_our_words():
    classes = [(path, node) for path in OWN for node in _nodes(path) if isinstance(node, ast.ClassDef)]
    wrong = [_at(path, node.lineno) for path, node in classes if BANNED_NOUNS & {*_words(node.name)}]
    assert wrong == []


def test_functions_take_at_most_three_positional_parameters():
    wide = [
        f"{_at(path, f.lineno)} {f.name}"
        for path in OWN
        for f in _functions(path)
        if len(_positional(f)) > POSITIONAL_MAX and f.name not in FOREIGN
    ]
    assert wide == []


def _positional(function: Function) -> list[str]:
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def test_the_procfile_runs_every_step_and_the_door():
    lines = (ROOT / "Procfile").read_text().splitlines()
    started = {line.partition(":")[0]: line.partition(":")[2].strip() for line in lines}
    steps = {path.stem for path in OWN if path.parent.name == "workers" and not path.stem.startswith("_")}
    assert started.keys() - {"web"} == steps
    assert all(started[step] == f"python -m workers.{step}" for step in steps)


def test_tests_neither_sleep_nor_skip():
    wrong = re.compile(r"time\.sleep\(|pytest\.(?:mark\.)?(?:skip|skipif|xfail)\b")
    lines = ((path, number, line) for path, number, line in _texts(TESTS) if path != Path(__file__))
    assert [_at(path, number) for path, number, line in lines if wrong.search(line)] == []


def test_nothing_is_left_for_later():
    later = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX)\b")
    assert [_at(path, number) for path, number, line in _texts() if later.search(line)] == []


def test_every_exception_to_a_rule_names_the_rule():
    bare = re.compile(r"#\s*(?:noqa(?!: [A-Z]+\d)|type:\s*ignore(?!\[))")
    lines = ((path, number, line) for path, number, line in _texts(MODULES))
    assert [_at(path, number) for path, number, line in lines if bare.search(line) and path != Path(__file__)] == []


def test_no_file_names_a_registry_or_this_machine():
    lines = [(path, number, line) for path, number, line in _texts() if path != Path(__file__)]
    assert [_at(path, n) for path, n, line in lines if OTHER_MACHINES.search(line) or MACHINE_PATHS.search(line)] == []


def test_folders_are_at_most_two_deep():
    folders = {path.relative_to(ROOT).parent for path in FILES}
    assert sorted(str(folder) for folder in folders if len(folder.parts) > DEPTH_MAX) == []


def test_every_setting_is_in_the_example():
    pattern = re.compile(r"(?:env\.\w+\(|environ(?:\.get\(|\[))\s*\"([A-Z][A-Z0-9_]+)\"")
    read = {name for path in OWN for name in pattern.findall(_text(path))}
    assert read
    assert {name for name in read if name not in (ROOT / ".env.example").read_text()} == set()
