"""How many examples of each class there are, as bars with their names."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from workbench.gui.data.histogram import class_color
from workbench.gui.figures import grouped
from workbench.gui.text import safe
from workbench.gui.theme import color, font, tokens
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.painting import box, painter_on

_LINE, _FIRST, _COLORED = 20, 12, 6


class _Bars(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.names: Sequence[str] = ()
        self.counts: Sequence[int] = ()
        self.shown = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(240, _LINE * self.shown)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, _LINE * self.shown)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = tokens(), painter_on(self)
        painter.setFont(font(12))
        number_width = painter.fontMetrics().horizontalAdvance(grouped(max(self.counts, default=0))) + 8
        # Room for long names, but never more than a third.
        measure = painter.fontMetrics()
        longest = max((measure.horizontalAdvance(safe(name)[:40]) for name in self.names[:200]), default=0)
        name_width = min(self.width() // 3, 128, longest + 16)
        room, highest = self.width() - name_width - number_width - 8, max(self.counts, default=0) or 1
        first, last = event.rect().top() // _LINE, min(self.shown, event.rect().bottom() // _LINE + 1)
        colored = len(self.names) <= _COLORED
        for line in range(first, last):
            top = line * _LINE
            ink = colors.warning if not self.counts[line] else class_color(line) if colored else colors.accent
            painter.setPen(color(colors.text))
            name = painter.fontMetrics().elidedText(safe(self.names[line]), Qt.TextElideMode.ElideRight, name_width - 8)
            painter.drawText(QRectF(0, top, name_width, _LINE), Qt.AlignmentFlag.AlignVCenter, name)
            width = max(2.0, room * self.counts[line] / highest)
            box(painter, QRectF(name_width, top + 4, width, _LINE - 8), 2, fill=ink)
            painter.setPen(color(colors.muted))
            align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(QRectF(0, top, self.width(), _LINE), align, grouped(self.counts[line]))


class ClassBars(QWidget):
    """A bar a class. Of many classes the first dozen show until a button opens the others."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bars, self._all = _Bars(), False
        self._more = Button("", "link", clicked=self._toggle)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._bars)
        column.addWidget(self._more, 0, Qt.AlignmentFlag.AlignLeft)

    def set_counts(self, names: Sequence[str], counts: Sequence[int]) -> None:
        """Show other classes."""
        self._bars.names, self._bars.counts = names, counts
        told = ", ".join(f"{safe(name)} {grouped(count)}" for name, count in zip(names, counts, strict=True))
        self.setAccessibleName(self.tr("Examples of each class"))
        self.setAccessibleDescription(told[:2000])
        self._arrange()

    def _toggle(self) -> None:
        self._all = not self._all
        self._arrange()

    def _arrange(self) -> None:
        bars, count = self._bars, len(self._bars.names)
        bars.shown = count if self._all else min(count, _FIRST)
        self._more.setVisible(count > _FIRST)
        words = self.tr("Show fewer") if self._all else self.tr("Show all {0} classes").format(grouped(count))
        self._more.setText(words)
        bars.updateGeometry()
        bars.update()
