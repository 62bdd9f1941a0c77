"""Reading, setting and comparing values in a recipe by path: ``training.optimizer.learning_rate``.

A list's entry is named by index (``data.augment[0].degrees``), a layer also by its name
(``network.layers.conv_1.filters``). What holds dots or brackets stands in quotes
(``data.weights.attributes."size [cm]"``).
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from workbench.errors import RecipeError


@dataclass(frozen=True)
class Change:
    """One difference between two recipes; ``before`` or ``after`` is None where the value is new or gone."""

    path: str
    before: Any
    after: Any


_STEP = re.compile(r'"(?:[^"\\]|\\.)*"|[^.\[\]"]+')


def split_path(path: str) -> tuple[str, ...]:
    """The steps of a path: ``a.b[2].c`` and ``a.b.2.c`` are both ``("a", "b", "2", "c")``."""
    return tuple(_unquoted(step) for step in _STEP.findall(path))


def join_path(steps: tuple[str | int, ...]) -> str:
    """A path with indices in brackets."""
    text = ""
    for step in steps:
        name = f"[{step}]" if isinstance(step, int) else _quoted(step)
        text += f".{name}" if text and not isinstance(step, int) else name
    return text


def _quoted(step: str) -> str:
    return step if re.fullmatch(r'[^.\[\]"]+', step) else json.dumps(step, ensure_ascii=False)


def _unquoted(step: str) -> str:
    try:
        return str(json.loads(step)) if step.startswith('"') else step
    except ValueError:
        return step


def get_at(tree: Any, path: str) -> Any:
    """The value at a path of nested dicts and lists.

    Raises:
        RecipeError: there is nothing at the path.
    """
    node = tree
    for step in split_path(path):
        node = node[_key(node, step, path)]
    return node


def set_at(tree: dict[str, Any], path: str, value: Any) -> None:
    """Put a value at a path. The parents must exist; a dict gets a new key, a list's index may be its length."""
    *parents, last = split_path(path)
    node: Any = tree
    for position, step in enumerate(parents):
        key = _key(node, step, path)
        if node[key] is None or isinstance(node[key], str):
            # An optional part that is off or automatic, or a kind written short: make room for its fields.
            node[key] = {"kind": node[key]} if node[key] not in (None, "auto") and position else {}
        node = node[key]
    if isinstance(node, list) and last.isdigit() and int(last) == len(node):
        node.append(value)
    elif isinstance(node, dict):
        node[last] = value
    else:
        node[_key(node, last, path)] = value


def entry(items: list[Any], step: str, path: str) -> Any:
    """A list's entry, by index or by name.

    Raises:
        RecipeError: there is none.
    """
    return items[int(_key(items, step, path))]


def with_indices(tree: Any, path: str) -> tuple[str, ...]:
    """The steps of a path with layers' names replaced by their indices, as far as it leads anywhere."""
    steps: list[str] = []
    node = tree
    for step in split_path(path):
        try:
            key = _key(node, step, path)
        except RecipeError:
            steps.append(step)
            node = None
            continue
        steps.append(str(key))
        node = node[key]
    return tuple(steps)


def _key(node: Any, step: str, path: str) -> str | int:
    if isinstance(node, list):
        if step.isdigit() and int(step) < len(node):
            return int(step)
        for index, item in enumerate(node):
            if isinstance(item, dict) and item.get("name") == step:
                return index
        raise RecipeError(f"has no entry {step!r} (it has {len(node)})", where=path)
    if isinstance(node, dict):
        if step in node:
            return step
        near = difflib.get_close_matches(step, list(node), n=1)
        raise RecipeError(f"there is no field {step!r}" + (f"; did you mean {near[0]!r}?" if near else ""), where=path)
    raise RecipeError(f"{step!r} asks for a field of a plain value", where=path)


def differences(before: Any, after: Any, path: tuple[str | int, ...] = ()) -> Iterator[Change]:
    """What must be set in ``before`` to get ``after``.

    A change of kind counts as one change, at the kind's place; so does a table that gained or lost names.
    """
    if before == after:
        return
    if _are_alike(before, after):
        for key in before:
            yield from differences(before[key], after[key], (*path, key))
    elif _are_lists_of_parts(before, after):
        for index, (left, right) in enumerate(zip(before, after, strict=True)):
            yield from differences(left, right, (*path, index))
    else:
        yield Change(join_path(path), before, after)


def _are_alike(before: Any, after: Any) -> bool:
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return False
    return before.keys() == after.keys() and before.get("kind") == after.get("kind")


def _are_lists_of_parts(before: Any, after: Any) -> bool:
    lists = isinstance(before, list) and isinstance(after, list) and len(before) == len(after)
    return lists and all(isinstance(item, dict) for item in (*before, *after))
