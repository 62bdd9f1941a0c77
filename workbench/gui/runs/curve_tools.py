"""What is chosen above the curves: measure, scale, horizontal axis, smoothing."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QWidget

from workbench.gui.runs.view import SMOOTHEST, ViewState
from workbench.gui.text import wrapped
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.segmented import Segmented
from workbench.gui.widgets.slider import Slider


class CurveTools(QWidget):
    """Controls over a ``ViewState``."""

    def __init__(self, view: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self.measure = self._choice("measure", [("error", self.tr("error")), ("loss", self.tr("loss"))])
        self.scale = self._choice("log", [(False, self.tr("lin")), (True, self.tr("log"))])
        self.across = self._choice(
            "across", [("step", self.tr("step")), ("epoch", self.tr("epoch")), ("time", self.tr("time"))]
        )
        self.measure.setAccessibleName(self.tr("What the curves show"))
        self.scale.setAccessibleName(self.tr("Scale of the vertical axis"))
        self.across.setAccessibleName(self.tr("Horizontal axis"))
        self.smoothing = Slider(
            0.0, SMOOTHEST, steps=49, text=_beta_text, name=self.tr("Smoothing, beta of the weighted average")
        )
        self.smoothing.setFixedWidth(116)
        self.smoothing.setToolTip(self._about_smoothing())
        self.smoothing.valueChanged.connect(lambda beta: view.set(beta=beta))
        self._label = Label(self.tr("smooth"), "note")
        self._label.setToolTip(self._about_smoothing())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for widget in (self.measure, self.scale, self.across, self._label, self.smoothing):
            row.addWidget(widget)
        view.changed.connect(self._show)
        self._show()

    def set_narrow(self, narrow: bool) -> None:
        """Do without words that a tip says too."""
        self._label.setVisible(not narrow)

    def _choice(self, name: str, options: list[tuple[object, str]]) -> Segmented:
        made = Segmented(options)
        made.valueChanged.connect(lambda value: self._view.set(**{name: value}))
        return made

    def _show(self) -> None:
        view: Any = self._view.view
        self.measure.setValue(view.measure)
        self.scale.setValue(view.log)
        self.across.setValue(view.across)
        if abs(self.smoothing.value() - view.beta) > 1e-9:
            self.smoothing.setValue(view.beta)

    def _about_smoothing(self) -> str:
        return wrapped(
            self.tr(
                "The lecture’s exponentially weighted average with bias correction: v = β v + (1 − β) x, shown as"
                " v / (1 − βᵗ). It looks back over about 1 / (1 − β) values; the values themselves stand behind it"
                " at 25 %. 0 shows them as they are."
            )
        )


def _beta_text(beta: float) -> str:
    return f"{beta:.2f}"
