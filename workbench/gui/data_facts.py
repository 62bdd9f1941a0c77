"""What the window knows of the data before and while it trains: enough for shapes, choices and estimates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from workbench.engine.backend import Shape


@dataclass(frozen=True)
class DataFacts:
    """Facts of an imported data set.

    Attributes:
        input_shape: of an example: ``(features,)``, ``(steps, features)`` or ``(height, width, channels)``.
        task: what is learned.
        classes: their names, for classification.
        targets: target columns, for regression.
        columns: names of the table's columns; empty for others.
        sizes: examples in each set: ``{"train": 60000, "dev": 5000, "test": 5000}``.
    """

    input_shape: Shape
    task: Literal["classification", "regression"] = "classification"
    classes: tuple[str, ...] = ()
    targets: int = 1
    columns: tuple[str, ...] = ()
    sizes: dict[str, int] = field(default_factory=dict)

    @property
    def outputs(self) -> int:
        """What the loss is asked with: classes, or target columns."""
        return len(self.classes) if self.task == "classification" else self.targets

    @property
    def examples(self) -> int:
        """Examples in the training set; 0 where it is not known."""
        return self.sizes.get("train", 0)
