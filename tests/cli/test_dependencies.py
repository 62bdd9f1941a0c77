"""What is declared, what is imported, what `doctor` looks for and what README explains are the same packages."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

from workbench.cli.doctor import examine

ROOT = Path(__file__).parents[2]
OWN_NAMES = {"PIL": "pillow", "PySide6": "pyside6-essentials", "tomli_w": "tomli-w"}
# Parts of a declared package that are imported under a name of their own.
PARTS = {"pydantic_core": "pydantic", "markupsafe": "jinja2", "cupyx": "cupy", "llvmlite": "numba"}


def _declared() -> set[str]:
    requirements = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    return {re.split(r"[\[<>=]", requirement)[0].lower() for requirement in requirements}


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def _imported() -> set[str]:
    """Other people's packages that the program imports, anywhere, by the name they are installed under."""
    nodes = (node for file in (ROOT / "workbench").rglob("*.py") for node in ast.walk(ast.parse(file.read_text())))
    tops = {module.split(".")[0] for node in nodes for module in _modules(node)}
    others = tops - set(sys.stdlib_module_names) - {"workbench", "cupy", "cupyx", "cupy_backends", "cudnn"}
    return {OWN_NAMES.get(name, PARTS.get(name, name)).lower() for name in others}


def test_that_what_is_imported_is_declared_and_nothing_else() -> None:
    assert _imported() == _declared()


def test_that_readme_says_what_each_dependency_is_for() -> None:
    section = (ROOT / "README.md").read_text().split("## Dependencies")[1].split("\n## ")[0].lower()
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("|")][2:]
    told = {name.strip() for cell in cells for name in re.sub(r"\(.*?\)", "", cell).split(",")}
    assert told == _declared() | {"cupy", "nvidia-cudnn-frontend"}


def test_that_doctor_names_each_missing_dependency(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.cli.doctor._version", lambda name: None)
    missing = examine()["missing"]
    assert {lack["package"].lower() for lack in missing if not lack["optional"]} == _declared()


def test_that_doctor_names_what_a_gpu_would_need_as_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.cli.doctor._version", lambda name: None if "cupy" in name else "1")
    missing = examine()["missing"]
    assert {lack["package"] for lack in missing} == {"cupy-cuda12x", "cupy-cuda13x"}
    assert all(lack["optional"] and lack["get"].startswith("pip install cupy") for lack in missing)
    monkeypatch.setattr("workbench.cli.doctor._version", lambda name: None if "cuda12" in name else "1")
    assert examine()["missing"] == [], "one of the two is enough"
