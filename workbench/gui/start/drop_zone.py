"""Where data come in: a dashed area that says what can be dropped, and buttons for those who do not drag."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from workbench.gui.icons import draw_icon
from workbench.gui.theme import color, font, tokens
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.painting import painter_on
from workbench.gui.widgets.progress import ProgressBar

_LEAST, _USUAL = 148, 204


class _Upload(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(36, 36)

    def paintEvent(self, event: QPaintEvent) -> None:
        draw_icon(painter_on(self), "upload", QRectF(0, 0, 36, 36), tokens().accent, 1.0)


class DropZone(QWidget):
    """Drops themselves are taken by the window, wherever they fall.

    Signals:
        filesClicked, folderClicked: files or a folder shall be chosen.
        cancelClicked: what is being read is no longer wanted.
    """

    filesClicked = Signal()
    folderClicked = Signal()
    cancelClicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setMaximumHeight(_USUAL)
        self.files = Button(self.tr("Choose files…"), "primary", clicked=self.filesClicked.emit)
        self.folder = Button(self.tr("Choose a folder…"), clicked=self.folderClicked.emit)
        self.cancel = Button(self.tr("Cancel"), clicked=self.cancelClicked.emit)
        self.stage, self.progress = Label(""), ProgressBar()
        self._layers = QStackedLayout(self)
        self._layers.addWidget(self._resting())
        self._layers.addWidget(self._reading())

    def _resting(self) -> QWidget:
        head = Label(self.tr("Drop a CSV, a folder of images, an .npz or MNIST files"))
        head.setFont(font(17, font().Weight.DemiBold))
        head.setStyleSheet("font-size: 17px; font-weight: 600;")
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch(1)
        buttons.addWidget(self.files)
        buttons.addWidget(self.folder)
        buttons.addStretch(1)
        holder = QWidget()
        column = _column(holder)
        column.addWidget(_Upload(), 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(2)
        column.addWidget(head, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(Label(self.tr("Nothing leaves this computer"), "muted"), 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(4)
        column.addLayout(buttons)
        column.addStretch(1)
        return holder

    def _reading(self) -> QWidget:
        self.progress.setFixedWidth(320)
        holder = QWidget()
        column = _column(holder)
        for widget in (self.stage, self.progress):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(8)
        column.addWidget(self.cancel, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        return holder

    def show_reading(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Tell how far the reading is; an empty stage: nothing is being read."""
        self._layers.setCurrentIndex(1 if stage else 0)
        if stage:
            self.stage.setText(f"{stage[:1].upper()}{stage[1:]}…")
            self.progress.set_share(done / total if total else None)

    @property
    def reading(self) -> bool:
        """Whether it tells of a reading."""
        return self._layers.currentIndex() == 1

    def sizeHint(self) -> QSize:
        return QSize(640, _USUAL)

    def minimumSizeHint(self) -> QSize:
        return QSize(360, _LEAST)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = tokens(), painter_on(self)
        pen = QPen(color(colors.accent), 2, Qt.PenStyle.CustomDashLine, Qt.PenCapStyle.FlatCap)
        pen.setDashPattern([3.5, 2.5])
        painter.setPen(pen)
        painter.setBrush(color(colors.accent_soft))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 10, 10)


def _column(holder: QWidget) -> QVBoxLayout:
    column = QVBoxLayout(holder)
    column.setContentsMargins(16, 8, 16, 8)
    column.setSpacing(6)
    column.addStretch(1)
    return column
