"""Pictures of widgets, in either theme and at any size: for looking at while building, and for the docs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from PySide6.QtCore import QCoreApplication, QEvent, QSize
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget

from workbench.gui.theme import theme


def settle(rounds: int = 6) -> None:
    """Let layouts, style changes and delayed deletions happen."""
    for _ in range(rounds):
        QApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def grab(
    widget: QWidget,
    size: tuple[int, int],
    mode: Literal["light", "dark"],
    scale: float = 1.0,
    focus: QWidget | None = None,
) -> QImage:
    """A widget's picture in a theme; the widget is shown and resized for it. Nothing has the focus but ``focus``."""
    theme().set_mode(mode)
    widget.resize(QSize(*size))
    widget.show()
    settle()
    holder = focus or QApplication.focusWidget()
    if holder:
        holder.setFocus() if focus else holder.clearFocus()
    settle()
    picture = QImage(QSize(*size) * scale, QImage.Format.Format_ARGB32_Premultiplied)
    picture.setDevicePixelRatio(scale)
    picture.fill(theme().tokens.window)
    widget.render(picture)
    return picture


def shoot(
    widget: QWidget,
    file: Path,
    size: tuple[int, int],
    mode: Literal["light", "dark"],
    scale: float = 1.0,
    focus: QWidget | None = None,
) -> Path:
    """Write a widget's picture to a PNG file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not grab(widget, size, mode, scale, focus).save(str(file)):
        raise OSError(f"{file} cannot be written")
    return file
