"""The window's icons: strokes on a 16 × 16 grid, drawn through QtSvg in a color of the theme at any scale."""

from __future__ import annotations

from functools import cache, lru_cache

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from workbench.gui.theme import tokens

_STROKES = {
    "arrow-down": "M8 3v10M4 9l4 4 4-4",
    "arrow-up": "M8 13V3M4 7l4-4 4 4",
    "check": "M3 8.5l3.2 3.2L13 4.8",
    "chevron-down": "M4.5 6.5L8 10l3.5-3.5",
    "chevron-right": "M6.5 4.5L10 8l-3.5 3.5",
    "chevron-up": "M4.5 9.5L8 6l3.5 3.5",
    "close": "M4.5 4.5l7 7M11.5 4.5l-7 7",
    "copy": "M5.5 5.5h7v8h-7zM10.5 5.5v-3h-7v8h2",
    "duplicate": "M5.5 5.5h7v8h-7zM10.5 5.5v-3h-7v8h2M9 7.5v4M7 9.5h4",
    "enabled": "M8 2.5v5M4.6 4.6a5 5 0 1 0 6.8 0",
    "fit": "M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3",
    "freeze": "M8 2v12M2.8 5l10.4 6M13.2 5L2.8 11M6.5 3.2L8 4.6l1.5-1.4M6.5 12.8L8 11.4l1.5 1.4",
    "info": "M8 7.2v3.8M8 4.9v.1M2.2 8a5.8 5.8 0 1 0 11.6 0a5.8 5.8 0 1 0-11.6 0",
    "link": "M6.5 9.5l3-3M7 4.8l1.6-1.6a2.9 2.9 0 0 1 4.2 4.2L11.2 9M9 11.2l-1.6 1.6a2.9 2.9 0 0 1-4.2-4.2L4.8 7",
    "minus": "M3.5 8h9",
    "pause": "M5.5 3.5v9M10.5 3.5v9",
    "play": "M5 3.2v9.6L12.6 8z",
    "plus": "M8 3.5v9M3.5 8h9",
    "search": "M2.8 7a4.2 4.2 0 1 0 8.4 0a4.2 4.2 0 1 0-8.4 0M10.2 10.2l3.3 3.3",
    "stop": "M4 4h8v8H4z",
    "trash": "M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9",
    "upload": "M8 10V2.5M5 5.5l3-3 3 3M2.5 9.5v4h11v-4",
    "warning": "M8 2.5L14.2 13H1.8zM8 6.4v3.2M8 11.4v.1",
}
_FILLED = {
    "menu": "M3.5 6.8a1.2 1.2 0 1 0 0 2.4a1.2 1.2 0 1 0 0-2.4zM8 6.8a1.2 1.2 0 1 0 0 2.4a1.2 1.2 0 1 0 0-2.4z"
    "M12.5 6.8a1.2 1.2 0 1 0 0 2.4a1.2 1.2 0 1 0 0-2.4z",
    "circle": "M8 2.8a5.2 5.2 0 1 0 0 10.4A5.2 5.2 0 1 0 8 2.8z",
    "diamond": "M8 2l6 6-6 6-6-6z",
    "square": "M3 3h10v10H3z",
    "triangle": "M8 2.5l6.2 11H1.8z",
}
NAMES = tuple(sorted({*_STROKES, *_FILLED, "blank"}))
"""``blank`` draws nothing and keeps the room."""


@cache
def _renderer(name: str, color: str, stroke: float) -> QSvgRenderer:
    if name in _FILLED:
        body = f'<path d="{_FILLED[name]}" fill="{color}"/>'
    else:
        body = (
            f'<path d="{_STROKES[name]}" fill="none" stroke="{color}" stroke-width="{stroke}" '
            'stroke-linecap="round" stroke-linejoin="round"/>'
        )
    picture = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">{body}</svg>'
    return QSvgRenderer(QByteArray(picture.encode()))


def draw_icon(painter: QPainter, name: str, box: QRectF, color: str, stroke: float = 1.5) -> None:
    """Draw an icon into a box.

    Args:
        painter: where.
        name: one of ``NAMES``.
        box: its place; square.
        color: as ``#RRGGBB``.
        stroke: the line's width on the grid of 16.
    """
    if name != "blank":
        _renderer(name, color, stroke).render(painter, box)


@lru_cache(maxsize=256)
def _pixmap(name: str, color: str, width: int, height: int, scale: float) -> QPixmap:
    pixmap = QPixmap(round(width * scale), round(height * scale))
    pixmap.setDevicePixelRatio(scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    side = min(width, height)
    draw_icon(painter, name, QRectF((width - side) / 2, (height - side) / 2, side, side), color)
    painter.end()
    return pixmap


class _Engine(QIconEngine):
    """Paints in the colors in force at that moment, so that an icon survives a change of theme."""

    def __init__(self, name: str, role: str) -> None:
        super().__init__()
        self._name, self._role = name, role

    def _color(self, mode: QIcon.Mode) -> str:
        return tokens().faint if mode == QIcon.Mode.Disabled else str(getattr(tokens(), self._role))

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        draw_icon(painter, self._name, QRectF(rect), self._color(mode))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return _pixmap(self._name, self._color(mode), size.width(), size.height(), 1.0)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        return _pixmap(self._name, self._color(mode), round(size.width() / scale), round(size.height() / scale), scale)


def icon(name: str, role: str = "text") -> QIcon:
    """An icon for buttons and menus.

    Args:
        name: one of ``NAMES``.
        role: the token that colors it.
    """
    return QIcon(_Engine(name, role))
