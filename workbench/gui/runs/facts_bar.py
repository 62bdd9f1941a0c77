"""The row of figures under the curves, with the field that changes the learning rate of a run that goes on."""

from __future__ import annotations

from math import isfinite

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from workbench.gui.figures import rate
from workbench.gui.parsing import number_text, parse_number
from workbench.gui.runs.facts import RunFacts, rate_text
from workbench.gui.text import tip
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.labels import ElidedLabel

_LEAST_DEVICE, _LEAST_SPEED = 760, 560
"""Widths from which the device and the speed find room."""
_VALUE = 24
"""Height of a value: that of the field which takes its place."""


class _Line(QLineEdit):
    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class RateField(QWidget):
    """The learning rate: what is applied now; a press on *change* opens a field for another base rate.

    Signals:
        asked: the base learning rate that the user wants.
        closed: the field is gone, and the focus that it had goes where the panel says.
    """

    asked = Signal(float)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facts, self._wanted = RunFacts(), 0.0
        self.value = ElidedLabel("—")
        self.value.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.note = ElidedLabel("", "note")
        self.change = Button(self.tr("change"), "link", clicked=self.open)
        self.change.setAccessibleName(self.tr("Change the learning rate"))
        self.change.setStyleSheet("min-height: 16px; max-height: 16px; min-width: 8px; padding: 0; font-size: 12px;")
        self.line = _Line()
        self.line.setProperty("look", "cell")
        self.line.setAccessibleName(self.tr("New base learning rate; Enter asks for it, Escape leaves it"))
        self.line.setMaximumWidth(80)
        self.line.hide()
        self.line.returnPressed.connect(self._ask)
        self.line.left.connect(self._close)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for widget in (self.value, self.line, self.change, self.note):
            row.addWidget(widget)
        row.addStretch(1)
        self.setFixedHeight(_VALUE)

    def show_facts(self, facts: RunFacts, *, live: bool) -> None:
        """Show what is applied and what was asked for."""
        self._facts = facts
        if facts.asked == self._wanted:
            self._wanted = 0.0
        if not live:
            self._wanted = 0.0
            self._close()
        opened = not self.line.isHidden()
        self.value.set_name(rate_text(facts))
        self.value.setVisible(not opened)
        self.change.setVisible(live and not opened and not self._wanted)
        self.note.set_name(self.tr("→ {0} asked for").format(rate(self._wanted)) if self._wanted else "")
        self.note.setVisible(bool(self._wanted) and not opened)
        self.setToolTip(self._tip(facts))

    def _tip(self, facts: RunFacts) -> str:
        if facts.asked is None:
            return ""
        words = self.tr("asked for: {0} (base rate); applied in the last step, by the schedule: {1}")
        return words.format(rate(facts.asked), rate_text(facts))

    def open(self) -> None:
        """Let the user type another base rate."""
        base = self._facts.asked if self._facts.asked is not None else self._facts.applied
        self.line.setText(number_text(base, log=True) if base else "")
        self.line.setProperty("wrong", False)
        for widget in (self.value, self.change, self.note):
            widget.hide()
        self.line.show()
        self.line.selectAll()
        self.line.setFocus(Qt.FocusReason.OtherFocusReason)

    def _ask(self) -> None:
        try:
            wanted = float(parse_number(self.line.text()))
            if not (isfinite(wanted) and 0 < wanted <= 1000):
                raise ValueError(self.tr("must be above 0"))
        except ValueError as error:
            self.line.setProperty("wrong", True)
            self.line.style().polish(self.line)
            self.line.setToolTip(tip(str(error)))
            self.line.setAccessibleDescription(str(error))
            return
        self._close()
        self._wanted = wanted
        self.asked.emit(wanted)
        self.show_facts(self._facts, live=True)

    def _close(self) -> None:
        if not self.line.isHidden():
            focused = self.line.hasFocus()
            self.line.hide()
            self.line.setToolTip("")
            self.value.show()
            self.change.show()
            if focused:
                self.closed.emit()


class FactsBar(QWidget):
    """``status``, ``epoch``, ``step``, ``learning rate``... each over its value."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Figures of the run"))
        self.rate = RateField()
        self._columns: dict[str, QWidget] = {}
        self._values: dict[str, ElidedLabel] = {}
        self._about = ""
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for key, name, stretch in self._names():
            self._columns[key] = self._column(key, name)
            row.addWidget(self._columns[key], stretch)
        about = self.tr("Training and measuring after each epoch, in all sessions; pauses do not count.")
        self._columns["elapsed"].setToolTip(tip(about))

    def _names(self) -> tuple[tuple[str, str, int], ...]:
        return (
            ("status", self.tr("status"), 5),
            ("epoch", self.tr("epoch"), 4),
            ("step", self.tr("step"), 4),
            ("rate", self.tr("learning rate"), 6),
            ("speed", self.tr("examples/s"), 4),
            ("elapsed", self.tr("elapsed"), 4),
            ("device", self.tr("device"), 6),
        )

    def _column(self, key: str, name: str) -> QWidget:
        holder = QWidget()
        holder.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(ElidedLabel(name, "note"))
        if key == "rate":
            column.addWidget(self.rate)
        else:
            self._values[key] = ElidedLabel("—")
            self._values[key].setFixedHeight(_VALUE)
            column.addWidget(self._values[key])
        return holder

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        width = event.size().width()
        self._columns["device"].setVisible(width >= _LEAST_DEVICE)
        self._columns["speed"].setVisible(width >= _LEAST_SPEED)
        self._show_dropped()

    def _show_dropped(self) -> None:
        """What finds no room is said in the row's tip."""
        names = {key: name for key, name, _ in self._names()}
        left_out = [key for key in ("speed", "device") if self._columns[key].isHidden()]
        text = "\n".join(f"{names[key]} {self._values[key].text()}" for key in left_out)
        self.setToolTip(tip(text) if text else "")
        self.setAccessibleDescription(text)
        about = "\n".join(part for part in (self._about, text) if part)
        self._columns["status"].setToolTip(tip(about) if about else "")

    def show_facts(self, facts: RunFacts, *, live: bool) -> None:
        """Show other figures."""
        for (key, name, _), label in zip(
            (one for one in self._names() if one[0] != "rate"), self._values.values(), strict=True
        ):
            text = str(getattr(facts, key))
            if text != label.text():
                label.set_name(text)
                label.setAccessibleName(f"{name} {text}")
        self._about = facts.tip
        self._show_dropped()
        self.rate.show_facts(facts, live=live)
