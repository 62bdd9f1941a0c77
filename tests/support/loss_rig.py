"""One loss on logits of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from support.backends import PLAIN
from support.networks import loss_of

from workbench.engine.backend import Backend
from workbench.engine.layer import LossSite

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class LossCase:
    """A kind of loss, the outputs its conformance tests use, and its fields."""

    kind: str
    width: int
    fields: dict[str, Any] = field(default_factory=dict)


CASES = {
    "cross_entropy": LossCase("cross_entropy", 4),
    "cross_entropy smoothed": LossCase("cross_entropy", 4, {"label_smoothing": 0.2}),
    "binary_cross_entropy": LossCase("binary_cross_entropy", 1),
    "binary_hinge": LossCase("binary_hinge", 1),
    "binary_hinge squared": LossCase("binary_hinge", 1, {"power": 2, "margin": 2.5}),
    "focal": LossCase("focal", 4),
    "focal weak": LossCase("focal", 4, {"gamma": 0.5}),
    "focal off": LossCase("focal", 4, {"gamma": 0.0}),
    "hinge": LossCase("hinge", 4),
    "hinge squared": LossCase("hinge", 4, {"power": 2, "margin": 2.5}),
    "huber": LossCase("huber", 3),
    "huber wide": LossCase("huber", 3, {"delta": 2.5}),
    "mean_absolute_error": LossCase("mean_absolute_error", 3),
    "mean_squared_error": LossCase("mean_squared_error", 3),
    "normalized_logistic": LossCase("normalized_logistic", 4),
}


class LossRig:
    """A loss with random logits, targets and strengths."""

    def __init__(self, case: str, dtype: Any = np.float64, rows: int = 6, backend: Backend = PLAIN) -> None:
        self._backend = backend
        self.loss, width = loss_of(CASES[case].kind, **CASES[case].fields), CASES[case].width
        numbers = np.random.default_rng(11)
        asarray = backend.asarray
        self.logits = asarray(numbers.normal(scale=2.0, size=(rows, width)).astype(dtype))
        self.strengths = asarray(numbers.uniform(0.2, 3.0, rows).astype(dtype))
        self.targets = asarray(numbers.normal(size=(rows, width)).astype(dtype))
        if self.loss.task == "classification":
            self.targets = asarray(numbers.integers(0, max(2, width), rows))
        self.d_logits = asarray(np.full((rows, width), np.nan, dtype))
        self.sums = asarray(np.full(2, np.nan))
        self._scale = asarray(np.ones(1, dtype))
        self._call = self.loss.compile(self._site())

    def _site(self) -> LossSite:
        return LossSite(
            backend=self._backend,
            logits=self.logits,
            d_logits=self.d_logits,
            targets=self.targets,
            strengths=self.strengths,
            scale=self._scale,
            sums=self.sums,
            buffer=lambda name, shape, dtype: self._backend.asarray(np.full(shape, 1, dtype)),
        )

    def run(self) -> float:
        """The weighted mean J = sum(s_i L_i) / sum(s_i); fills ``d_logits`` with its gradient."""
        self._scale[0] = 1.0 / self.strengths.sum()
        self._call()
        return float(self.sums[0] / self.strengths.sum())
