"""The examples as the preview shows them: each with its set, class and strength. No widgets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.data.content import SET_NAMES, Array, Content, as_category
from workbench.gui.data_desk import DataState


@dataclass(frozen=True, eq=False)
class Examples:
    """All N examples.

    Attributes:
        content: their values and pictures.
        set_of: int8 ``(N,)``: 0 train, 1 dev, 2 test; -1 for those in no set.
        classes: the names of classes or labels; empty for regression and where no target is known.
        class_of: class numbers, int64 ``(N,)``, or labels, float32 ``(N, K)``; -1 or NaN where unknown.
        strengths: s_i, float32 ``(N,)``.
        key: the same for the same content, however often it is read.
        targets: the columns that are predicted, by number.
    """

    content: Content
    set_of: Array
    classes: tuple[str, ...]
    class_of: Array
    strengths: Array
    key: str
    targets: tuple[int, ...] = ()

    @classmethod
    def of(cls, state: DataState) -> Examples:
        """The examples of imported data; without a dataset in no set, with the classes that the files name."""
        content, dataset = state.content, state.dataset
        set_of = np.full(content.rows, -1, np.int8)
        targets = tuple(content.names.index(name) for name in state.targets if name in content.names)
        if dataset is None:
            classes, class_of = _marked(content)
            ones = np.ones(content.rows, np.float32)
            return cls(content, set_of, classes, class_of, ones, str(id(content)), targets)
        for code, name in enumerate(SET_NAMES):
            set_of[dataset.sets[name]] = code
        class_of = dataset.targets if dataset.classes else np.full(content.rows, -1, np.int64)
        return cls(content, set_of, dataset.classes, class_of, dataset.strengths, dataset.fingerprint, targets)

    @property
    def count(self) -> int:
        """N."""
        return self.content.rows

    def rows(self, set_code: int | None = None, class_number: int | None = None) -> Array:
        """The rows of a set and a class, int64; of all where None. A set of -1 stands for those in none."""
        keep = np.ones(self.count, bool)
        if set_code is not None:
            keep &= self.set_of == set_code
        if class_number is not None:
            several = self.class_of.ndim == 2
            keep &= self.class_of[:, class_number] > 0 if several else self.class_of == class_number
        return np.flatnonzero(keep)

    def set_name(self, row: int) -> str:
        """The set of a row; empty for none."""
        code = int(self.set_of[row])
        return SET_NAMES[code] if code >= 0 else ""

    def class_name(self, row: int) -> str:
        """The class of a row, or its labels; empty where unknown."""
        if self.class_of.ndim == 2:
            return ", ".join(self.classes[place] for place in np.flatnonzero(self.class_of[row] > 0))
        number = int(self.class_of[row])
        return self.classes[number] if number >= 0 else ""


def _marked(content: Content) -> tuple[tuple[str, ...], Array]:
    column = content.column(content.label) if content.label else None
    if column is None:
        return (), np.full(content.rows, -1, np.int64)
    coded = as_category(column)
    return coded.categories, coded.values.astype(np.int64)
