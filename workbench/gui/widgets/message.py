"""A message where its cause is: what happened, what is safe, what to do; then details and a copy."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from workbench.errors import WorkbenchError
from workbench.gui.icons import draw_icon
from workbench.gui.theme import tokens
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.painting import box, painter_on

Kind = Literal["warning", "error", "info", "good"]
_SHOWN = 5
"""Problems of one error that are told outright."""
_ICONS = {"warning": "warning", "error": "warning", "info": "info", "good": "check"}


class _Mark(QWidget):
    def __init__(self, kind: Kind) -> None:
        super().__init__()
        self.kind: Kind = kind
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(16, 18)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = tokens()
        ink = {"info": colors.accent, "good": colors.good}.get(self.kind, colors.warning)
        draw_icon(painter_on(self), _ICONS[self.kind], QRectF(0, 1, 16, 16), ink, 1.6)


class InlineMessage(QWidget):
    """A soft box with a heading, a sentence, and buttons for what can be done.

    Signals:
        actionClicked: the user took the offered way.
        closed: the user put the message away.
    """

    actionClicked = Signal()
    closed = Signal()

    def __init__(
        self,
        kind: Kind = "warning",
        title: str = "",
        text: str = "",
        *,
        details: str = "",
        action: str = "",
        closable: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._mark = _Mark(kind)
        self._title, self._text = Label("", "strong", wrap=True), Label("", wrap=True)
        self._action = Button("", "link", clicked=self.actionClicked.emit)
        self._more = Button(self.tr("Details"), "link", clicked=self._toggle_details)
        self._copy = Button(self.tr("Copy"), "link", clicked=self._copy_all)
        self._close = Button("", "quiet", icon_name="close", tip=self.tr("Close"), clicked=self._put_away)
        self._details = QPlainTextEdit()
        self._details.setReadOnly(True)
        self._details.setMaximumHeight(120)
        self._details.setAccessibleName(self.tr("Details"))
        self._close.setVisible(closable)
        self._lay_out()
        self.set_message(kind, title, text, details=details, action=action)

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 10, 8, 10)
        row.setSpacing(10)
        row.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addWidget(self._title)
        column.addWidget(self._text)
        links = QHBoxLayout()
        links.setContentsMargins(0, 2, 0, 0)
        links.setSpacing(12)
        for button in (self._action, self._more, self._copy):
            links.addWidget(button)
        links.addStretch(1)
        column.addLayout(links)
        column.addWidget(self._details)
        row.addLayout(column, 1)
        row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)

    def set_message(self, kind: Kind, title: str, text: str = "", *, details: str = "", action: str = "") -> None:
        """Say something else."""
        self._mark.kind = kind
        self._title.setText(title)
        self._text.setText(text)
        self._action.setText(action)
        self._details.setPlainText(details)
        for widget, shown in (
            (self._title, title),
            (self._text, text),
            (self._action, action),
            (self._more, details),
            (self._copy, details),
        ):
            widget.setVisible(bool(shown))
        self._details.hide()
        self.setAccessibleName(f"{title} {text}".strip())
        self.update()

    def show_error(self, error: WorkbenchError) -> None:
        """Show an error in its own words: a few problems in full, of many the first ones and the rest as details."""
        first, *rest = error.problems
        where = f"{first.where}: " if first.where else ""
        details = str(error) if len(error.problems) > _SHOWN or "\n" in first.what else ""
        if rest:
            shown = "\n".join(str(problem) for problem in error.problems[:_SHOWN])
            more = len(error.problems) - _SHOWN
            text = shown + ("\n" + self.tr("and {0} more").format(more) if more > 0 else "")
            self.set_message("error", str(error).split("\n")[0].rstrip(":"), text, details=details)
        else:
            self.set_message("error", f"{where}{first.what}", first.mend, details=details)
        self.show()

    def text(self) -> str:
        """All it says."""
        return "\n".join(part for part in (self._title.text(), self._text.text()) if part)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = tokens()
        fill = {"info": colors.accent_soft, "good": colors.good_soft}.get(self._mark.kind, colors.warning_soft)
        box(painter_on(self), QRectF(self.rect()), 8, fill=fill)

    def _toggle_details(self) -> None:
        self._details.setVisible(self._details.isHidden())
        self._more.setText(self.tr("Details") if self._details.isHidden() else self.tr("Fewer details"))

    def _copy_all(self) -> None:
        QGuiApplication.clipboard().setText(f"{self.text()}\n{self._details.toPlainText()}".strip())

    def _put_away(self) -> None:
        self.hide()
        self.closed.emit()
