"""What can be done to the data section of the document, each thing one step of Undo. No widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from PySide6.QtCore import QObject, Signal

from workbench.data.content import Array
from workbench.data.labels import is_binary, listed_labels
from workbench.data.propose import task_for
from workbench.data.roles import group_of, target_columns
from workbench.data.split import shares_for
from workbench.errors import Problem
from workbench.gui.data.roles import (
    Role,
    role_changes,
    several_changes,
    strength_changes,
    together_changes,
    with_group,
)
from workbench.gui.data.rules import with_strength
from workbench.gui.data_desk import DataDesk
from workbench.gui.document import Document
from workbench.gui.figures import grouped
from workbench.gui.text import safe
from workbench.recipe.data import ColumnType, DataRecipe, Split
from workbench.recipe.kinds import AugmentSpec
from workbench.recipe.tasks import TASKS, Task

_LONGEST_RULE = 200_000
"""Characters: a recipe is a file that people read."""


class DataEditor(QObject):
    """The data section's commands, shared by the panels of the data page.

    Signals:
        failed: why something could not be done; empty once something could.
    """

    failed = Signal(str)

    def __init__(self, document: Document, desk: DataDesk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.document, self._desk = document, desk

    @property
    def recipe(self) -> DataRecipe:
        """The data section as it stands."""
        return self.document.recipe.data

    @property
    def rows(self) -> int:
        """How many examples there are; 0 before they are read."""
        return self._desk.state.content.rows if self._desk.state else 0

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns that are predicted."""
        if self._desk.state is not None:
            return target_columns(self.recipe, self._desk.state.content)
        return self.recipe.targets or ((self.recipe.target,) if self.recipe.target else ())

    # --- columns -------------------------------------------------------------------------------------------------

    def set_role(self, name: str, role: Role) -> None:
        """Give a column a role; a new target brings the task that suits it."""
        changes = role_changes(self.recipe, name, role, self.rows, self.targets)
        if role == "target":
            column = self._desk.state.content.column(name) if self._desk.state else None
            changes |= self._task_settings(task_for(column)[0]) if column is not None else {}
        words = {"feature": self.tr("learn from {0}"), "target": self.tr("predict {0}")}
        text = words.get(role, self.tr("{0}: {1}").format("{0}", role)).format(safe(name))
        self._put(changes, text)

    def add_target(self, name: str) -> None:
        """Predict a column together with those that are predicted already."""
        changes = together_changes(self.recipe, name, self.targets) | self._task_settings("multilabel")
        self._put(changes, self.tr("predict {0} too").format(safe(name)))

    def fits_targets(self, name: str) -> bool:
        """Whether a column can be predicted together with those that are: all of them say yes or no."""
        content = self._desk.state.content if self._desk.state else None
        if content is None or name in self.targets or not self.targets:
            return False
        columns = [content.column(one) for one in (*self.targets, name)]
        return all(column is not None and is_binary(column) for column in columns)

    def set_type(self, name: str, kind: ColumnType) -> None:
        """Read a column as numbers or as categories."""
        types = {**self.recipe.columns, name: kind}
        self._put({"data.columns": types}, self.tr("{0} as {1}").format(safe(name), kind))

    def set_strength(self, name: str, strength: float) -> None:
        """Give an attribute a strength; 0 leaves it out."""
        text = self.tr("strength of {0} {1}").format(safe(name), f"{strength:.2f}")
        self._put(strength_changes(self.recipe, name, strength), text, about=f"strength of {name}")

    def set_task(self, task: object) -> tuple[Problem, ...]:
        """Change what is learned, with a loss that suits it."""
        changes = self._task_settings(cast(Task, task))
        if changes:
            listing = any(self._lists(name) for name in self.targets)
            if task == "multilabel" and not listing:
                changes |= several_changes(self.recipe, self.targets, several=True)
            elif task != "multilabel":
                changes |= several_changes(self.recipe, self.targets, several=False)
        return self._put(changes, str(task))

    def _lists(self, name: str) -> bool:
        column = self._desk.state.content.column(name) if self._desk.state else None
        return column is not None and bool(listed_labels(column))

    def _task_settings(self, task: Task) -> dict[str, Any]:
        if task == self.recipe.task:
            return {}
        facts = TASKS[task]
        scaled = "standard" if facts.scaled else "none"
        changes = {"data.task": task, "data.normalize_target": scaled, "training.loss": facts.loss}
        if task != "classification" and self.recipe.weights.class_balance != "none":
            changes["data.weights.class_balance"] = "none"
        return changes

    # --- split ---------------------------------------------------------------------------------------------------

    def set_shares(self, shares: tuple[float, float, float] | None) -> None:
        """Divide by shares; None leaves them to the rule by size. A group of examples stays together in any case."""
        data = self.recipe
        if shares is None and group_of(data) is None:
            self._put({"data.split": "auto"}, self.tr("split auto"))
            return
        by_rule, _ = shares_for(self.rows)
        train, dev, test = shares or (by_rule.train, by_rule.dev, by_rule.test)
        split = with_group(data, group_of(data), self.rows)
        split = split.model_copy(update={"train": train, "dev": dev, "test": test})
        self._put({"data.split": split}, self.tr("split {0}").format(shares_text(split)))

    def own_split(self) -> None:
        """Write the shares out that the rule by size takes, so that each can be changed."""
        if self.recipe.split == "auto":
            self._put({"data.split": with_group(self.recipe, None, self.rows)}, self.tr("own split"))

    # --- strengths of examples -----------------------------------------------------------------------------------

    def set_row_strength(self, rows: Array, strength: float) -> None:
        """Give some examples a strength by hand; 1 takes what was given back."""
        rules = with_strength(self.recipe.weights.rows, rows, strength, self.rows)
        if sum(len(rule.rows) for rule in rules) > _LONGEST_RULE:
            self.failed.emit(
                self.tr("These rows lie too far apart for a rule by hand. Give the strengths in a column of the data.")
            )
            return
        count = grouped(len(rows))
        given = self.tr("strength of {0} rows {1}").format(count, f"{strength:g}")
        self._put({"data.weights.rows": rules}, given if strength != 1 else self.tr("clear {0} rows").format(count))

    def remove_rule(self, place: int) -> None:
        """Take a rule by hand back."""
        rules = self.recipe.weights.rows
        kept = [rule for number, rule in enumerate(rules) if number != place]
        self._put({"data.weights.rows": kept}, self.tr("remove strength {0}").format(f"{rules[place].weight:g}"))

    # --- sources -------------------------------------------------------------------------------------------------

    def add_sources(self, paths: Sequence[Path]) -> None:
        """Add files and folders to the data."""
        if paths:
            self.failed.emit("\n".join(self._desk.add_files(paths)))

    def set_source(self, place: int, field: str, value: str) -> None:
        """Change a source's set or distribution."""
        name = Path(self.recipe.sources[place].path).name
        text = self.tr("{0} of {1}: {2}").format(field, safe(name), safe(value) or self.tr("none"))
        self._put({f"data.sources[{place}].{field}": value}, text)

    def remove_source(self, place: int) -> None:
        """Leave a source out."""
        name = Path(self.recipe.sources[place].path).name
        kept = [source for number, source in enumerate(self.recipe.sources) if number != place]
        self._put({"data.sources": kept}, self.tr("remove {0}").format(safe(name)))

    # --- augmentation --------------------------------------------------------------------------------------------

    def add_augmentation(self, kind: str) -> None:
        """Put an augmentation at the end."""
        spec = AugmentSpec.kinds()[kind]()
        self._put_augment([*self.recipe.augment, spec], self.tr("add {0}").format(spec.human_name()))

    def remove_augmentation(self, place: int) -> None:
        """Take an augmentation out."""
        kept = [spec for number, spec in enumerate(self.recipe.augment) if number != place]
        self._put_augment(kept, self.tr("remove {0}").format(self.recipe.augment[place].human_name()))

    def move_augmentation(self, place: int, to: int) -> None:
        """Put an augmentation in another place of the order in which they are applied."""
        specs = list(self.recipe.augment)
        if place == to or not 0 <= to < len(specs):
            return
        moved = specs.pop(place)
        specs.insert(to, moved)
        self._put_augment(specs, self.tr("move {0}").format(moved.human_name()))

    def set_augmentation(self, place: int, field: str, value: Any, text: str) -> None:
        """Change a field of an augmentation."""
        self._put({f"data.augment[{place}].{field}": value}, text)

    def turn_augmentation(self, place: int, on: bool) -> None:
        """Turn an augmentation on or off; it keeps its settings."""
        words = self.tr("turn {0} on") if on else self.tr("turn {0} off")
        name = self.recipe.augment[place].human_name()
        self._put({f"data.augment[{place}].enabled": on}, words.format(name))

    def _put_augment(self, specs: Sequence[AugmentSpec], text: str) -> None:
        # Each addition is a step of its own, however quickly they follow.
        self._put({"data.augment": list(specs)}, text, about=f"{text} {len(specs)}")

    def _put(self, changes: Mapping[str, Any], text: str, about: str = "") -> tuple[Problem, ...]:
        problems = self.document.set_many(changes, text, about=about) if changes else ()
        self.failed.emit("\n".join(str(problem) for problem in problems))
        return problems


def shares_text(split: Split) -> str:
    """``60/20/20``."""
    return "/".join(f"{100 * share:g}" for share in (split.train, split.dev, split.test))
