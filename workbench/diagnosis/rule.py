"""What a rule is: a kind of advice that looks at the context and offers knobs or states findings.

A rule registers itself by being a subclass with an ``id``; its family's file stands in ``workbench.diagnosis.rules``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from workbench.diagnosis.context import Context
from workbench.errors import RecipeError
from workbench.recipe.paths import Change
from workbench.recipe.recipe import Recipe

GapName = Literal["data", "bias", "variance", "mismatch", "test", "real_world"]


@dataclass(frozen=True)
class Finding:
    """Something that was measured and what it means.

    Attributes:
        id: stable, for scripts.
        measured: the numbers it rests on.
        text: one or two sentences.
    """

    id: str
    measured: Mapping[str, Any]
    text: str

    def to_json(self) -> dict[str, Any]:
        """The same fields."""
        return {"id": self.id, "measured": dict(self.measured), "text": self.text}


@dataclass(frozen=True)
class Knob:
    """One thing that can be changed.

    Attributes:
        id: stable, for scripts; ``advice_...`` where it changes nothing in a recipe.
        gap: what it acts on.
        title: the change in plain words.
        why: why it helps, and why here.
        direction: which way it moves errors and gaps; never by how much.
        patch: one path of the recipe and its new value; empty for mere advice or without a recipe.
        cost: what it costs, in words.
        cost_factor: the training time by that of now, where that follows from the change.
        lecture: the lecture's words, and where they stand.
        later: whether something else comes first.
        reason: why it comes later.
        effect: what moved when it was tried, empty where it was not.
        rank: its place within its gap, the lowest first.
    """

    id: str
    gap: GapName
    title: str
    why: str
    direction: str
    patch: Mapping[str, Any]
    cost: str
    cost_factor: float | None
    lecture: str
    later: bool = False
    reason: str = ""
    effect: str = ""
    rank: int = field(default=50)

    def to_json(self) -> dict[str, Any]:
        """The same fields without the rank."""
        return {name: value for name, value in self.__dict__.items() if name != "rank"} | {"patch": dict(self.patch)}


class Rule:
    """A kind of advice. Subclasses are final and without state."""

    registered: ClassVar[dict[str, Rule]] = {}

    id: ClassVar[str] = ""
    gap: ClassVar[GapName] = "bias"
    lecture: ClassVar[str] = ""
    """The lecture's words in quotation marks, and the section they stand in."""
    direction: ClassVar[str] = ""
    rank: ClassVar[int] = 50
    always: ClassVar[bool] = False
    """Whether its knobs are offered whatever the state of their gap."""

    def __init_subclass__(cls) -> None:
        if cls.id:
            if cls.id in Rule.registered:
                raise TypeError(f"two rules are called {cls.id!r}")
            Rule.registered[cls.id] = cls()

    def findings(self, context: Context) -> Iterator[Finding]:
        """What it finds."""
        yield from ()

    def knobs(self, context: Context) -> Iterator[Knob]:
        """What it offers."""
        yield from ()

    def finding(self, text: str, **measured: Any) -> Finding:
        """A finding of this rule."""
        return Finding(self.id, measured, text)

    def offer(
        self,
        context: Context,
        title: str,
        why: str,
        path: str = "",
        value: Any = None,
        *,
        cost: str = "about the same time",
        factor: float | None = None,
        rank: int | None = None,
        id: str = "",
    ) -> Iterator[Knob]:
        """A knob of this rule; none if the recipe does not take the change, or takes it for no or several changes.

        Args:
            context: as given.
            title, why, cost, factor: see ``Knob``.
            path, value: the change; without a path the knob is mere advice. Without a recipe, as for a model trained
                elsewhere, it is taken as it is: give one then only where it suits any recipe.
            rank: instead of the rule's own.
            id: instead of the rule's own, where it offers several.
        """
        patch = {path: value} if path else {}
        if path and context.recipe is not None:
            change = one_change(context.recipe, path, value)
            if change is None or not _still_fits(context, path, value):
                return
            # As the recipe itself tells the difference, so that a try is found again in the list of runs.
            patch = {change.path: change.after}
        yield Knob(
            id or self.id, self.gap, title, why, self.direction, patch, cost, factor, self.lecture,
            rank=self.rank if rank is None else rank,
        )  # fmt: skip


def one_change(recipe: Recipe, path: str, value: Any) -> Change | None:
    """The change that putting a value at a path makes; None if the recipe refuses it, or it is none or several."""
    try:
        changes = recipe.diff(recipe.replace(path, value))
    except RecipeError:
        return None
    return changes[0] if len(changes) == 1 else None


def _still_fits(context: Context, path: str, value: Any) -> bool:
    """Whether the network's shapes still fit each other after a change; True where they are not known or never did."""
    if context.recipe is None or context.network() is None:
        return True
    return context.network(context.recipe.replace(path, value)) is not None


_HOME = "workbench.diagnosis.rules"


def rules() -> tuple[Rule, ...]:
    """All rules, by id; the first call imports the files they stand in."""
    package = importlib.import_module(_HOME)
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{_HOME}.{module.name}")
    return tuple(Rule.registered[name] for name in sorted(Rule.registered))
