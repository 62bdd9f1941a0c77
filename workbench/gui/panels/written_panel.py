"""The files that were written, beside the choices rather than among them."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.gui.export.work import Written
from workbench.gui.export.written_list import WrittenList
from workbench.gui.widgets.panel import GAP, INSIDE, Panel, Scroll

_MOST = 0.34
"""How much of its page it takes at most: what does not fit scrolls."""


class WrittenPanel(Panel):
    """The latest files first; not there before anything was written."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.set_title(self.tr("Written"))
        self.list = WrittenList()
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(INSIDE, 0, INSIDE, INSIDE)
        column.addWidget(self.list)
        column.addStretch(1)
        self._content = content
        self.rows = Scroll(content, least=280)
        self.add(self.rows, stretch=1)
        content.installEventFilter(self)
        self.hide()

    @property
    def files(self) -> list[Written]:
        """What was written, the latest first."""
        return self.list.files

    def add_files(self, files: tuple[Written, ...]) -> None:
        """Put files at the head of the list."""
        self.list.add(files)
        self.show()
        self.rows.verticalScrollBar().setValue(0)
        self.fit()

    def fit(self) -> None:
        """As high as its rows, up to its share of the page."""
        page = self.parentWidget()
        wanted = self.head.maximumHeight() + GAP + self._content.sizeHint().height()
        most = round(_MOST * page.height()) if page is not None else wanted
        self.setFixedHeight(max(96, min(wanted, most)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._content and event.type() == QEvent.Type.LayoutRequest:
            self.fit()
        return super().eventFilter(watched, event)
