"""A plot as PNG and SVG: with its title and what its lines are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QBuffer, QIODevice, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QPainter, QPen
from PySide6.QtSvg import QSvgGenerator

from workbench.errors import StoreError
from workbench.gui.plots.figures import csv_text, figures_of
from workbench.gui.plots.live_plot import LivePlot
from workbench.gui.text import safe
from workbench.gui.theme import FAMILY, color, font, tokens
from workbench.store.files import write_file

FORMATS = ("png", "svg", "csv")
_HEAD, _ROW, _SAMPLE, _GAP = 32, 20, 20, 18
_SCALE = 2


@dataclass(frozen=True)
class Entry:
    """What a line style or color stands for."""

    text: str
    ink: str
    style: Qt.PenStyle


def save_plot(plot: LivePlot, file: Path, title: str, x_name: str) -> Path:
    """Write a plot in the format that the file's name ends in; PNG where it ends in none.

    Raises:
        StoreError: it could not be written.
    """
    kind = file.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        kind, file = "png", file.with_name(f"{file.name}.png")
    if kind == "csv":
        data = csv_text(figures_of(plot.lines, x_name)).encode("utf-8-sig")
    else:
        data = svg_of(plot, title) if kind == "svg" else png_of(plot, title)
    write_file(file, data)
    return file


def png_of(plot: LivePlot, title: str) -> bytes:
    """The plot as PNG, at twice its size on the screen.

    Raises:
        StoreError: it could not be made.
    """
    buffer = _buffer()
    if not picture_of(plot, title).save(buffer, "PNG"):  # type: ignore[call-overload]
        raise StoreError("the picture could not be made")
    return bytes(buffer.data().data())


def picture_of(plot: LivePlot, title: str) -> QImage:
    """The plot as a picture, at twice its size on the screen."""
    size = _size(plot)
    picture = QImage(size * _SCALE, QImage.Format.Format_ARGB32_Premultiplied)
    picture.setDevicePixelRatio(_SCALE)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _paint(plot, painter, size, title)
    painter.end()
    return picture


def svg_of(plot: LivePlot, title: str) -> bytes:
    """The plot as SVG.

    pyqtgraph's own exporter fails with Qt 6.11 (its issue 3495); Qt writes the scene as it is.
    """
    buffer, size = _buffer(), _size(plot)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    # Without it, sizes in pixels come out in points.
    generator.setResolution(int(plot.logicalDpiX()))
    generator.setSize(size)
    generator.setViewBox(QRectF(QPointF(0, 0), size.toSizeF()))
    generator.setTitle(title)
    painter = QPainter(generator)
    _paint(plot, painter, size, title)
    painter.end()
    text = bytes(buffer.data().data()).decode("utf-8")
    # Nobody else has the bundled family under its name.
    return text.replace(f'font-family="{FAMILY}"', 'font-family="Inter, Helvetica, Arial, sans-serif"').encode()


def _buffer() -> QBuffer:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    return buffer


def _size(plot: LivePlot) -> QSize:
    return QSize(plot.width(), plot.height() + _HEAD + _ROW * len(_rows(plot)))


def _paint(plot: LivePlot, painter: QPainter, size: QSize, title: str) -> None:
    painter.fillRect(QRectF(QPointF(0, 0), size.toSizeF()), color(tokens().panel))
    painter.setFont(font(14, font().Weight.DemiBold))
    painter.setPen(color(tokens().text))
    painter.drawText(QRectF(12, 0, size.width() - 24, _HEAD), Qt.AlignmentFlag.AlignVCenter, title)
    painter.setFont(font(12))
    rows = _rows(plot)
    for number, row in enumerate(rows):
        _paint_row(painter, _HEAD + number * _ROW, row)
    top = _HEAD + _ROW * len(rows)
    scene: Any = plot.scene()
    scene.prepareForPaint()
    source = QRectF(plot.mapToScene(plot.viewport().rect()).boundingRect())
    scene.render(painter, QRectF(0, top, size.width(), size.height() - top), source)


def _rows(plot: LivePlot) -> list[list[tuple[float, Entry]]]:
    """What the lines are, in as many rows as it takes."""
    measure = QFontMetricsF(font(12))
    rows: list[list[tuple[float, Entry]]] = []
    x = float("inf")
    for entry in _entries(plot):
        width = _SAMPLE + 6 + measure.horizontalAdvance(entry.text) + _GAP
        if x + width > plot.width() - 12:
            rows.append([])
            x = 12.0
        rows[-1].append((x, entry))
        x += width
    return rows


def _entries(plot: LivePlot) -> list[Entry]:
    return [Entry(safe(line.name), line.ink, line.style) for line in plot.lines if line.weight != "raw"]


def _paint_row(painter: QPainter, top: float, row: list[tuple[float, Entry]]) -> None:
    for x, entry in row:
        painter.setPen(QPen(color(entry.ink), 1.6, entry.style))
        painter.drawLine(QPointF(x, top + _ROW / 2), QPointF(x + _SAMPLE, top + _ROW / 2))
        painter.setPen(color(tokens().muted))
        room = QRectF(x + _SAMPLE + 6, top, 4000, _ROW)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, entry.text)
