"""A setting as a person writes it, ``training.epochs=80``: the command line reads what the advice prints."""

from __future__ import annotations

import re
import shlex
import tomllib
from typing import Any

import tomli_w

from workbench.recipe.places import NOTHING

_ASSIGNMENT = re.compile(r'((?:"(?:[^"\\]|\\.)*"|[^="])+)=(.*)', re.DOTALL)


def read_assignment(text: str) -> tuple[str, Any] | None:
    """The path and the value of ``PATH=VALUE``; None where it is none.

    The value is TOML; what is none is a text, so that quotes can be left out. ``none`` without quotes switches off
    what can be off.
    """
    found = _ASSIGNMENT.fullmatch(text)
    path = found[1].strip() if found else ""
    return (path, _value(found[2].strip())) if found and path else None


def option(path: str, value: Any) -> str:
    """``--set training.epochs=80``, quoted for a shell: what ``read_assignment`` reads back."""
    return f"--set {shlex.quote(f'{path}={toml_value(value)}')}"


def toml_value(value: Any) -> str:
    """A value as TOML on one line. TOML has no null: it is written ``none``, and within a table left out."""
    if value is None:
        return NOTHING.value
    if isinstance(value, dict):
        parts = (f"{_key(name)} = {toml_value(each)}" for name, each in value.items() if each is not None)
        return "{ " + ", ".join(parts) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return tomli_w.dumps({"v": value}).strip().removeprefix("v = ")


def _key(name: str) -> str:
    return tomli_w.dumps({name: 0}).strip().removesuffix(" = 0")


def _value(text: str) -> Any:
    if text == NOTHING.value:
        return NOTHING
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
