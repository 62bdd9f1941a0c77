"""The files that were written, with their checks and the ways to get at them."""

from __future__ import annotations

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from workbench.gui.export.work import REPORTS, Written
from workbench.gui.figures import grouped, memory, regrouped
from workbench.gui.text import tip, visible
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.chip import Chip
from workbench.gui.widgets.labels import ElidedLabel, Label
from workbench.gui.widgets.panel import GAP

_MOST = 8
"""Files that are listed."""


class WrittenList(QWidget):
    """The latest first; empty and hidden before anything was written."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.files: list[Written] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GAP)
        self.hide()

    def add(self, written: tuple[Written, ...]) -> None:
        """Put files at the head of the list; an older entry of the same file goes."""
        paths = {one.path for one in written}
        self.files = [*written, *(one for one in self.files if one.path not in paths)][:_MOST]
        while (item := self._column.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for one in self.files:
            self._column.addWidget(self._row(one))
        self.show()

    def _row(self, one: Written) -> QWidget:
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 2)
        column.setSpacing(0)
        head = QHBoxLayout()
        head.setSpacing(GAP)
        head.addWidget(Chip(self.tr("checked"), "good") if one.passed else Chip(self.tr("not passed"), "warning"))
        name = ElidedLabel(one.path.name, "strong")
        head.addWidget(name, 1)
        if one.kind in REPORTS:
            text = self.tr("Open the report") if one.kind == "html" else self.tr("Open the PDF")
            head.addWidget(Button(text, "link", clicked=lambda: open_path(str(one.path))))
        show = Button(self.tr("Show in folder"), "link", clicked=lambda: open_path(str(one.path.parent)))
        show.setAccessibleName(self.tr("Show {0} in its folder").format(one.path.name))
        head.addWidget(show)
        column.addLayout(head)
        where = self.tr("{0}, epoch {1}, in {2}").format(memory(one.size), grouped(one.epoch), one.path.parent)
        column.addWidget(ElidedLabel(where, "note"))
        column.addWidget(Label(regrouped(visible(one.checked)), "note" if one.passed else "error", wrap=True))
        holder.setToolTip(tip(f"{one.path}\nSHA-256 {one.sha256}", 90))
        return holder


def open_path(path: str) -> None:
    """Open a file in the program that is meant for it, or a folder in the file manager."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(path))
