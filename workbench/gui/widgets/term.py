"""Words that explain themselves: dotted underline, a tip on hover, and by F1 or a click the term in a small window."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QMouseEvent, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from workbench.diagnosis.glossary import Term, term
from workbench.gui.text import wrapped
from workbench.gui.theme import color, tokens
from workbench.gui.widgets.labels import Label, Look
from workbench.gui.widgets.painting import focus_ring, painter_on

_WIDTH = 360


class TermLabel(Label):
    """A label whose words are, or contain, a term of the glossary.

    Args:
        text: what it says.
        name: the term; the text itself where empty.
        look: as for ``Label``.
    """

    def __init__(self, text: str, name: str = "", look: Look = "text", parent: QWidget | None = None) -> None:
        super().__init__(text, look, parent=parent)
        self.set_term(name or text)

    def set_term(self, name: str) -> None:
        """Explain another term; one that the glossary does not know is a plain label."""
        self.term = term(name)
        known = self.term is not None
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if known else Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.WhatsThisCursor if known else Qt.CursorShape.ArrowCursor)
        self.setToolTip(term_tip(name))
        self.setAccessibleDescription(self.term.text if self.term else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.term is None:
            return
        painter, measure = painter_on(self), QFontMetricsF(self.font())
        width = min(measure.horizontalAdvance(self.text()), float(self.width()))
        line = self.contentsRect().center().y() + measure.ascent() / 2 + 3
        painter.setPen(QPen(color(tokens().grey), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(0, line), QPointF(width, line))
        if self.hasFocus():
            focus_ring(painter, self.rect().toRectF(), 4)

    def event(self, event: QEvent) -> bool:
        # The window's own F1 opens the whole glossary; with a term in focus it explains this one.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _asks(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if _asks(event) or event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.explain()
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.explain()

    def explain(self) -> TermWindow | None:
        """Open the explanation below the words."""
        if self.term is None:
            return None
        window = TermWindow(self.term, self)
        window.open_at(self, QRect(0, 0, self.width(), self.height()))
        return window


class TermWindow(QFrame):
    """A term, what it means, and where the program differs from the lecture. Any key or click closes it."""

    def __init__(self, shown: Term, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("look", "card")
        self.setAccessibleName(f"{shown.name}: {shown.text}")
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 14)
        column.setSpacing(6)
        column.addWidget(Label(shown.name[:1].upper() + shown.name[1:], "title"))
        column.addWidget(Label(shown.text, wrap=True))
        if shown.ours:
            column.addWidget(Label(self.tr("Other than in the lecture"), "strong"))
            column.addWidget(Label(shown.ours, "muted", wrap=True))
        self.setFixedWidth(_WIDTH)

    def open_at(self, anchor: QWidget, area: QRect) -> None:
        """Show it below a part of a widget, inside the screen."""
        self.adjustSize()
        room = anchor.screen().availableGeometry()
        corner = anchor.mapToGlobal(QPoint(area.left(), area.bottom() + 4))
        x = max(room.left(), min(corner.x(), room.right() - self.width()))
        y = corner.y() if corner.y() + self.height() <= room.bottom() else max(room.top(), corner.y() - self.height())
        self.move(x, y)
        self.show()
        self.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.close()


def term_tip(name: str) -> str:
    """A term's explanation as a tool tip; empty where the glossary does not know it."""
    known = term(name)
    if known is None:
        return ""
    text = f"{known.name[:1].upper()}{known.name[1:]}\n{known.text}"
    return wrapped(f"{text}\n\n{_other(known)}" if known.ours else text)


def _other(known: Term) -> str:
    return QCoreApplication.translate("term", "Other than in the lecture: {0}").format(known.ours)


def _asks(event: QKeyEvent) -> bool:
    return event.key() == Qt.Key.Key_F1
