"""The reasons behind a verdict, written out: rules with thresholds, findings, the health of the training."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from workbench.diagnosis.diagnose import Diagnosis
from workbench.diagnosis.health import KINDS
from workbench.gui.diagnose.reasons import GapReason, HealthLine, conclusions, gap_reasons, health_lines, state_word
from workbench.gui.diagnose.words import told
from workbench.gui.icons import draw_icon
from workbench.gui.theme import tokens
from workbench.gui.widgets.chip import Chip, Tone
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.painting import painter_on
from workbench.gui.widgets.panel import GAP, heading
from workbench.gui.widgets.term import TermLabel
from workbench.session.curves import RunCurves

_TONES: dict[str, Tone] = {"high": "warning", "low": "good", "undecided": "accent", "unknown": "plain"}


class ReasonsView(QWidget):
    """Sections one below the other."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: object = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GAP)

    def show_reasons(self, diagnosis: Diagnosis, curves: RunCurves) -> None:
        """Show why a run has the verdict it has; nothing happens where that stands here already."""
        health = health_lines(diagnosis, curves)
        if self._shown == (id(diagnosis), health):
            return
        self._shown = (id(diagnosis), health)
        self._diagnosis = diagnosis  # kept, so that its id stays its own
        self.clear()
        for reason in gap_reasons(diagnosis.gaps):
            self._column.addWidget(_gap_row(reason))
        self._add_sentences(self.tr("What follows"), conclusions(diagnosis))
        found = [told(one.text) for one in diagnosis.findings if one.id not in KINDS]
        self._add_sentences(self.tr("What was found besides"), found)
        if health:
            self._column.addWidget(heading(self.tr("Health of the training")))
            for line in health:
                self._column.addWidget(_health_row(line))
        self._column.addStretch(1)

    def clear(self) -> None:
        """Show nothing."""
        while item := self._column.takeAt(0):
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    def _add_sentences(self, title: str, sentences: Sequence[str]) -> None:
        if not sentences:
            return
        self._column.addWidget(heading(title))
        for sentence in sentences:
            self._column.addWidget(_marked("bullet", Label(sentence, wrap=True)))


def _gap_row(reason: GapReason) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 2, 0, 4)
    column.setSpacing(1)
    head = QHBoxLayout()
    head.setSpacing(GAP)
    head.addWidget(TermLabel(reason.name, _term_of(reason.name), "strong"))
    if reason.value:
        head.addWidget(Label(reason.value, "strong"))
    if reason.interval:
        head.addWidget(Label(f"({reason.interval})", "note"))
    head.addStretch(1)
    head.addWidget(Chip(state_word(reason.state), _TONES[reason.state], strong=reason.decides))
    column.addLayout(head)
    column.addWidget(Label(f"{reason.formula}. {reason.rule}", "note", wrap=True))
    holder.setAccessibleName(f"{reason.name} {reason.value}: {reason.state}. {reason.rule}")
    return holder


def _term_of(name: str) -> str:
    return "overfitting to the dev set" if name == "dev → test" else name


def _health_row(line: HealthLine) -> QWidget:
    return _marked(
        "check" if line.good else "warning", Label(f"{line.title}: {line.text}" if line.title else line.text, wrap=True)
    )


def _marked(mark: str, label: Label) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(GAP)
    row.addWidget(_Mark(mark), 0, Qt.AlignmentFlag.AlignTop)
    row.addWidget(label, 1)
    return holder


class _Mark(QWidget):
    """What stands before a sentence: a dot, a check or a warning."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(14, 18)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = tokens(), painter_on(self)
        if self._name == "bullet":
            draw_icon(painter, "circle", QRectF(4, 6.5, 6, 6), colors.grey)
        else:
            ink = colors.good if self._name == "check" else colors.warning
            draw_icon(painter, self._name, QRectF(0, 2, 14, 14), ink, 1.7)
