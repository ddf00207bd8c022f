"""The sandbox is a distribution of its own: `pip install ./sandbox` brings all it needs, and nothing of the service."""

import ast
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "sandbox"


@pytest.fixture
def project() -> Any:
    return tomllib.loads((FOLDER / "pyproject.toml").read_text())


def roots(source: Path) -> set[str]:
    """The names of the top-level packages that a module imports."""
    nodes = list(ast.walk(ast.parse(source.read_text())))
    plain = {each.name for node in nodes if isinstance(node, ast.Import) for each in node.names}
    origins = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in plain | origins}


def test_every_folder_of_the_sandbox_is_distributed(project: Any) -> None:
    folders = {found.parent.relative_to(FOLDER.parent) for found in FOLDER.rglob("__init__.py")}
    assert set(project["tool"]["setuptools"]["packages"]) == {".".join(folder.parts) for folder in folders}


def test_what_the_sandbox_imports_is_what_its_distribution_depends_on(project: Any) -> None:
    imported = set().union(*(roots(source) for source in FOLDER.rglob("*.py")))
    depends_on = {wanted.partition(">")[0] for wanted in project["project"]["dependencies"]}
    assert imported - sys.stdlib_module_names - {"sandbox"} == depends_on


def test_the_service_claims_no_part_of_the_sandbox() -> None:
    service = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text())
    assert "meterpost-sandbox" not in service["project"]["scripts"]
    assert "sandbox*" not in service["tool"]["setuptools"]["packages"]["find"]["include"]
