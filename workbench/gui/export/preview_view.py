"""What a file will hold: the pages of a report, source code, or a table of tensors."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QFontDatabase, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QPlainTextEdit, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from workbench.gui.export.work import Preview
from workbench.gui.theme import TEXT, color, tokens
from workbench.gui.widgets.facts_row import FactsList
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.panel import GAP, INSIDE, Scroll, heading

_WIDEST = 900


class _Page(QWidget):
    """A page as wide as there is room for, up to its own size."""

    def __init__(self, picture: QPixmap, number: int) -> None:
        super().__init__()
        self._picture = picture
        self.setAccessibleName(self.tr("Page {0}").format(number))
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        size = self._picture.size()
        return round(min(width, _WIDEST) * size.height() / max(1, size.width()))

    def sizeHint(self) -> QSize:
        return QSize(400, self.heightForWidth(max(400, self.width())))

    def resizeEvent(self, event: QResizeEvent) -> None:
        height = self.heightForWidth(event.size().width())
        if height != self.height():
            self.setFixedHeight(height)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        area = self.rect()
        width = min(area.width(), _WIDEST)
        area.setLeft((area.width() - width) // 2)
        area.setWidth(width)
        painter.drawPixmap(area, self._picture)
        painter.setPen(color(tokens().line))
        painter.drawRect(area.adjusted(0, 0, -1, -1))


class PreviewView(QStackedWidget):
    """Pages, text or facts."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pages, self._column = _column()
        self.reader = Scroll(self._pages, least=280)
        # Pages are read by keys too.
        self.reader.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.reader.setAccessibleName(self.tr("Pages of the report"))
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setStyleSheet("border: none;")
        self.text.document().setDocumentMargin(INSIDE)
        self.text.setAccessibleName(self.tr("Source code"))
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        fixed.setPixelSize(TEXT - 1)
        fixed.setStyleHint(QFont.StyleHint.Monospace)
        self.text.setFont(fixed)
        holder, facts = _column()
        self.facts, self.tensors = FactsList(180, gap=12), FactsList(180, gap=12)
        facts.addWidget(self.facts)
        facts.addWidget(heading(self.tr("Tensors"), self.tr("by name, as PyTorch shapes them")))
        facts.addWidget(self.tensors)
        facts.addStretch(1)
        for widget in (self.reader, self.text, Scroll(holder, least=280)):
            self.addWidget(widget)

    def pages(self) -> int:
        """How many pages are shown."""
        return len(self._pages.findChildren(_Page))

    def show_preview(self, preview: Preview) -> None:
        """Show a preview; the reading starts at its beginning."""
        if preview.pages:
            self._show_pages(preview.pages)
            self.setCurrentIndex(0)
        elif preview.text:
            self.text.setPlainText(preview.text)
            self.setCurrentIndex(1)
        else:
            self.facts.set_rows(preview.facts)
            self.tensors.set_rows(preview.tensors)
            self.setCurrentIndex(2)

    def _show_pages(self, pages: tuple[bytes, ...]) -> None:
        while item := self._column.takeAt(0):
            widget = item.widget()
            if widget is not None:
                widget.setParent(None)
                widget.deleteLater()
        for number, data in enumerate(pages, 1):
            picture = QPixmap()
            if picture.loadFromData(data, "PNG"):
                self._column.addWidget(_Page(picture, number))
            else:
                self._column.addWidget(Label(self.tr("Page {0} cannot be shown.").format(number), "muted"))
        self._column.addStretch(1)
        self.reader.verticalScrollBar().setValue(0)


def _column() -> tuple[QWidget, QVBoxLayout]:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(INSIDE, 0, INSIDE, INSIDE)
    column.setSpacing(GAP)
    return holder, column
