"""Where a training stands, apart from the numbers of the network: what a checkpoint must hold to go on exactly."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from workbench.training.schedules.base import Reaction


@dataclass
class TrainingState:
    """Where a training stands.

    Attributes:
        epoch: whole epochs done.
        batch: batches done of the epoch under way.
        step: batches done in all.
        base_rate: alpha0 of the schedule, which may have been changed while running.
        reaction: of a schedule that watches the dev set.
        best_score: the best value of what is watched on the dev set; None before the first.
        best_epoch: when it was reached.
        waited: epochs since then.
        loss_sum, strength_sum: of the epoch under way: sum of s_i L_i and of s_i.
        record_loss, record_strength: the same since the last step record.
        seconds: training time of the epoch under way.
        total_seconds: training time of all epochs done.
        total_examples: examples trained on in all epochs done.
    """

    base_rate: float
    epoch: int = 0
    batch: int = 0
    step: int = 0
    reaction: Reaction = field(default_factory=Reaction)
    best_score: float | None = None
    best_epoch: int | None = None
    waited: int = 0
    loss_sum: float = 0.0
    strength_sum: float = 0.0
    record_loss: float = 0.0
    record_strength: float = 0.0
    seconds: float = 0.0
    total_seconds: float = 0.0
    total_examples: int = 0

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def of_facts(cls, facts: dict[str, Any]) -> TrainingState:
        """From ``facts``; what a newer version added is passed over."""
        given = _known(cls, facts)
        return cls(**{**given, "reaction": Reaction(**_known(Reaction, given.get("reaction", {})))})

    def judge(self, score: float | None, min_delta: float) -> bool:
        """Take note of a new score at the end of an epoch; whether it is the best so far."""
        if score is None:
            return False
        if self.best_score is None or score < self.best_score - min_delta:
            self.best_score, self.best_epoch, self.waited = score, self.epoch, 0
            return True
        self.waited += 1
        return False


def _known(kind: Any, facts: dict[str, Any]) -> dict[str, Any]:
    return {one.name: facts[one.name] for one in dataclasses.fields(kind) if one.name in facts}
