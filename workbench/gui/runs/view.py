"""What the curves show and how: shared by all plots of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from math import isfinite
from typing import Any, Literal

from PySide6.QtCore import QCoreApplication, QObject, Signal

from workbench.gui.figures import SPACE, duration, grouped, short
from workbench.gui.plots.ranges import growing_end
from workbench.session.curves import RunCurves

Measure = Literal["error", "loss"]
Across = Literal["epoch", "step", "time"]

SMOOTHEST = 0.98
"""The lecture's slowest average: about 50 values."""


@dataclass(frozen=True)
class CurveView:
    """How curves are shown.

    Attributes:
        measure: the error or the loss.
        log: whether its axis is logarithmic.
        across: what runs along the horizontal axis.
        beta: of the exponentially weighted average; 0 shows the values as they are.
    """

    measure: Measure = "error"
    log: bool = False
    across: Across = "epoch"
    beta: float = 0.6


@dataclass(frozen=True)
class Axis:
    """The horizontal axis of all plots.

    Attributes:
        across: what runs along it.
        unit: seconds in one unit of time; 1 otherwise.
        end: where it ends, in units.
    """

    across: Across = "epoch"
    unit: float = 1.0
    end: float = 1.0

    @property
    def column(self) -> str:
        """The name of its figures in ``Series``."""
        return "seconds" if self.across == "time" else self.across

    def label(self, value: float) -> str:
        """A tick."""
        if self.across == "time":
            return f"{value:g}{SPACE}{_UNITS[self.unit]}"
        if abs(value - round(value)) > 1e-6:
            return ""  # There are no half epochs to measure at.
        return short(value) if self.across == "step" and value >= 10_000 else f"{value:g}"

    def heading(self, value: float) -> str:
        """A position in words: ``epoch 31``."""
        if self.across == "time":
            return duration(value * self.unit)
        if self.across == "step":
            return _tr("step {0}").format(grouped(round(value)))
        return _tr("epoch {0}").format(f"{value:.2f}".rstrip("0").rstrip("."))

    def name(self) -> str:
        """For tables and CSV."""
        return {"time": _tr("time [{0}]").format(_UNITS[self.unit]), "step": _tr("step")}.get(self.across, _tr("epoch"))


_UNITS = {1.0: "s", 60.0: "min", 3600.0: "h"}


def axis_of(curves: Sequence[RunCurves], across: Across) -> Axis:
    """The horizontal axis for some runs; it grows by leaps while one of them goes on."""
    column = "seconds" if across == "time" else across
    reached, total, live = 0.0, 0.0, False
    for one in curves:
        reached = max(reached, _last(one, column))
        if one.started is not None and one.ended is None:
            live = True
            per_epoch = one.started.steps_per_epoch if across == "step" else 1
            total = max(total, float(one.started.epochs * per_epoch))
    end = reached
    if live:
        end = growing_end(reached, None if across == "time" else max(total, reached))
        if across == "epoch":
            # Errors are measured at its end: until then there is only what the batches say.
            end = max(end, 1.0)
    unit = 1.0 if across != "time" or end <= 300 else 60.0 if end <= 3 * 3600 else 3600.0
    return Axis(across, unit, end / unit if end > 0 else 1.0)


def _last(curves: RunCurves, column: str) -> float:
    series = curves.series
    found = [float(part[column][-1]) for part in (series.epochs, series.steps) if len(part)]
    return max((value for value in found if isfinite(value)), default=0.0)


class ViewState(QObject):
    """The view in force.

    Signals:
        changed: it is another one now.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.view = CurveView()

    def set(self, **changes: Any) -> None:
        """Change some of it."""
        view = replace(self.view, **changes)
        if view != self.view:
            self.view = view
            self.changed.emit()

    def to_json(self) -> dict[str, Any]:
        """For the settings."""
        return asdict(self.view)

    def restore(self, tree: dict[str, Any]) -> None:
        """Take over what ``to_json`` gave; what is none of it is passed over."""
        beta, log = tree.get("beta"), tree.get("log")
        found: dict[str, Any] = {}
        if tree.get("measure") in ("error", "loss"):
            found["measure"] = tree["measure"]
        if tree.get("across") in ("epoch", "step", "time"):
            found["across"] = tree["across"]
        if isinstance(beta, float) and 0 <= beta <= SMOOTHEST:
            found["beta"] = beta
        if isinstance(log, bool):
            found["log"] = log
        self.set(**found)


def _tr(text: str) -> str:
    return QCoreApplication.translate("curves", text)
