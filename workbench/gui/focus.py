"""Moving the focus from panel to panel."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

from workbench.gui.widgets.panel import Panel


def next_panel(page: QWidget | None) -> None:
    """Give the focus to the first widget of the panel after the one that has it, in reading order."""
    if page is None:
        return
    found = [panel for panel in page.findChildren(Panel) if panel.isVisible()]
    panels = sorted(found, key=lambda p: (p.mapTo(page, p.rect().topLeft()).x(), p.mapTo(page, p.rect().topLeft()).y()))
    if not panels:
        return
    focused = QApplication.focusWidget()
    holders = [number for number, panel in enumerate(panels) if focused and panel.isAncestorOf(focused)]
    start = holders[-1] + 1 if holders else 0
    for step in range(len(panels)):
        if _focus_first(panels[(start + step) % len(panels)]):
            return


def _focus_first(panel: QWidget) -> bool:
    for child in panel.findChildren(QWidget):
        takes = child.focusPolicy() & Qt.FocusPolicy.TabFocus
        if takes and child.isVisible() and child.isEnabled() and not child.focusProxy():
            child.setFocus(Qt.FocusReason.TabFocusReason)
            return True
    return False
