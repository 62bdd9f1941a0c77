"""The drawn network: a box a layer, its role as a bar of color, depth downwards, branches side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log10, prod
from typing import Any, cast

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPainterPath, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import (
    QGraphicsItem,
    QGraphicsScene,
    QGraphicsView,
    QStyleOptionGraphicsItem,
    QWidget,
)

from workbench.engine.backend import Shape
from workbench.engine.layer import Layer
from workbench.engine.network import Network
from workbench.gui.figures import shape as shape_text
from workbench.gui.icons import draw_icon
from workbench.gui.network.layout import Cell, Edge, Layout, lay_out
from workbench.gui.text import tip as tool_tip
from workbench.gui.theme import color, font, theme, tokens
from workbench.gui.widgets.painting import box
from workbench.recipe.network import INPUT, NetworkRecipe

HEIGHT, PITCH, GAP, MARGIN = 34, 52, 12, 12
_NARROW, _WIDE, _THREAD = 84, 168, 20
_ZOOMS, _LEAST_TO_READ, _LEAST_ACROSS = (0.35, 2.5), 0.85, 0.6


@dataclass(frozen=True)
class Box:
    """A node as it is drawn.

    Attributes:
        name: the layer's name.
        role: of the layer, see ``Layer.role``; ``input`` for the input.
        inputs: the names of what it reads.
        shape: of its output, empty where it is not known.
        state: ``on``, ``off`` (disabled) or ``added`` (put in by the training's dropout).
        frozen: whether its weights are kept.
        error: why it does not fit.
        tip: what the pointer is told.
    """

    name: str
    role: str
    inputs: tuple[str, ...] = ()
    shape: Shape = ()
    state: str = "on"
    frozen: bool = False
    error: str = ""
    tip: str = ""


def boxes_of(recipe: NetworkRecipe, network: Network | None) -> list[Box]:
    """The nodes to draw: the input, every layer of the recipe, and what the training adds."""
    nodes = {node.name: node for node in network.nodes} if network else {}
    result = [Box(INPUT, "input", shape=network.input_shape if network else ())]
    for place, layer in enumerate(cast(Sequence[Layer], recipe.layers)):
        node, inputs = nodes.get(layer.name), recipe.inputs_of(place)
        added = nodes.get(node.inputs[0]) if node and node.inputs else None
        if added is not None and added.index is None:
            tip = f"{added.layer.human_name()} {added.layer.summary()}"
            result.append(Box(added.name, added.layer.role, inputs, added.shape, "added", tip=tip))
            inputs = (added.name,)
        words = (layer.human_name(), layer.summary())
        result.append(
            Box(
                layer.name,
                layer.role,
                inputs,
                node.shape if node else (),
                "on" if layer.enabled else "off",
                layer.frozen,
                node.error if node else "",
                " · ".join(word for word in words if word),
            )
        )
    return result


def role_color(role: str) -> str:
    """The color of a role's bar."""
    t = tokens()
    colors = {
        "weights": t.accent, "norm": t.purple, "activation": t.good, "regularization": t.warning, "merge": t.orange,
    }  # fmt: skip
    return colors.get(role, t.grey)


def width_of(node: Box, *, compact: bool = False) -> int:
    """A box is the wider the more values leave it, on a logarithmic scale; its words must fit.

    A compact one is as wide as its words: where branches stand side by side there is no room for more.
    """
    marks = 24 if node.frozen or node.error else 8
    name = QFontMetrics(font(12, font().Weight.DemiBold)).horizontalAdvance(node.name) + 17 + marks
    words = max(name, QFontMetrics(font(11)).horizontalAdvance(shape_text(node.shape)) + 22 if node.shape else 0)
    flow = 64 + 20 * log10(prod(node.shape)) if node.shape else 112
    return int(min(_WIDE, max(_NARROW - 16 if compact else _NARROW, words, 0 if compact else flow)) // 2 * 2)


class NodeItem(QGraphicsItem):
    """A layer's box."""

    def __init__(self, node: Box, width: int) -> None:
        super().__init__()
        self.node, self.width, self.selected = node, width, False
        self.setToolTip(tool_tip("\n".join(part for part in (node.name, node.tip, node.error) if part)))
        self.setAcceptHoverEvents(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def boundingRect(self) -> QRectF:
        return QRectF(-self.width / 2 - 2, -2, self.width + 4, HEIGHT + 4)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        colors, area = tokens(), QRectF(-self.width / 2, 0, self.width, HEIGHT)
        painter.setOpacity(0.55 if self.node.state == "off" else 1.0)
        line = colors.accent if self.selected else colors.warning if self.node.error else colors.line
        fill = colors.accent_soft if self.selected else colors.panel
        box(painter, area, 6, fill=fill)
        self._paint_bar(painter, area)
        pen = QPen(color(line), 2 if self.selected else 1)
        if self.node.state != "on":
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        inset = 1.0 if self.selected else 0.5
        painter.drawRoundedRect(area.adjusted(inset, inset, -inset, -inset), 6, 6)
        self._paint_words(painter, area)

    def _paint_bar(self, painter: QPainter, area: QRectF) -> None:
        clip = QPainterPath()
        clip.addRoundedRect(area, 6, 6)
        painter.save()
        painter.setClipPath(clip)
        painter.fillRect(QRectF(area.left(), 0, 5, HEIGHT), color(role_color(self.node.role)))
        painter.restore()

    def _paint_words(self, painter: QPainter, area: QRectF) -> None:
        colors, left = tokens(), area.left() + 13
        mark = "warning" if self.node.error else "freeze" if self.node.frozen else ""
        room = QRectF(left, 2, area.right() - left - (24 if mark else 8), 17)
        painter.setFont(font(12, font().Weight.DemiBold))
        painter.setPen(color(colors.text))
        name = painter.fontMetrics().elidedText(self.node.name, Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, name)
        painter.setFont(font(11))
        painter.setPen(color(colors.muted))
        words = shape_text(self.node.shape) if self.node.shape else self._without_shape()
        painter.drawText(room.translated(0, 14), Qt.AlignmentFlag.AlignVCenter, words)
        if mark:
            ink = colors.warning if mark == "warning" else colors.muted
            draw_icon(painter, mark, QRectF(area.right() - 21, HEIGHT / 2 - 7, 14, 14), ink)

    def _without_shape(self) -> str:
        return {"off": "off", "added": "from dropout"}.get(self.node.state, "—")


class EdgeItem(QGraphicsItem):
    """A line with an arrow head; through free lanes where it passes nodes."""

    def __init__(self, points: Sequence[QPointF]) -> None:
        super().__init__()
        self._path = _elbows(points)
        self._end = points[-1]
        self.setZValue(-1)

    def boundingRect(self) -> QRectF:
        return self._path.boundingRect().adjusted(-5, -2, 5, 3)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        pen = QPen(color(tokens().grey), 1.2)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(self._path)
        tip = self._end - QPointF(0, 1)
        painter.drawPolyline([tip + QPointF(-3.5, -4), tip, tip + QPointF(3.5, -4)])


class Diagram(QGraphicsView):
    """Shows a network; a click, or Up and Down, selects a layer. Ctrl with the wheel zooms, ``fit`` shows all.

    Signals:
        selected: the name of the layer that the user took; empty for the input.
    """

    selected = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # A view does not own its scene.
        self.setScene(QGraphicsScene(self))
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.setFrameShape(QGraphicsView.Shape.NoFrame)
        self.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.setDragMode(QGraphicsView.DragMode.ScrollHandDrag)
        # Files that are dropped here are for the window; a scene would take them and do nothing.
        self.setAcceptDrops(False)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.AnchorUnderMouse)
        self.viewport().setAutoFillBackground(False)
        self.viewport().setCursor(Qt.CursorShape.ArrowCursor)
        self.setAccessibleName(self.tr("Diagram of the network"))
        self._boxes: list[Box] = []
        self._items: dict[str, NodeItem] = {}
        self._current = ""
        self._fitted = True
        theme().changed.connect(self.viewport().update)

    def show_boxes(self, boxes: Sequence[Box]) -> None:
        """Draw other nodes."""
        if list(boxes) == self._boxes:
            return
        self._boxes = list(boxes)
        self.scene().clear()
        layout = lay_out({node.name: node.inputs for node in boxes})
        branched = any(lane for lane, _ in layout.cells.values())
        widths = {node.name: width_of(node, compact=branched) for node in boxes}
        lanes = _lane_centers(layout, widths)
        self._items = {}
        for node in boxes:
            item = NodeItem(node, widths[node.name])
            item.setPos(*_corner(layout.cells[node.name], lanes))
            self.scene().addItem(item)
            self._items[node.name] = item
        for edge in layout.edges:
            self.scene().addItem(EdgeItem(_points(edge, layout, lanes)))
        self._finish()

    def _finish(self) -> None:
        count = len(self._boxes) - 1
        self.setAccessibleDescription(self.tr("%n layer(s), drawn from the input downwards", "", count))
        area = self.scene().itemsBoundingRect().adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN)
        self.setSceneRect(area)
        self.set_current(self._current)
        if self._fitted:
            self.fit()

    def set_current(self, name: str) -> None:
        """Highlight a layer and bring it into view, silently."""
        self._current = name
        for item in self._items.values():
            if item.selected != (item.node.name == name):
                item.selected = item.node.name == name
                item.update()
        if name in self._items:
            self.ensureVisible(self._items[name], 8, 24)

    def fit(self) -> None:
        """Show all of it, at natural size where that fits; never too small to read."""
        self._fitted = True
        area, room = self.sceneRect(), self.viewport().rect()
        if area.isEmpty() or room.isEmpty():
            return
        across, down = min(1.0, room.width() / area.width()), room.height() / area.height()
        self.resetTransform()
        # Smaller, and the names are no words any more: then it scrolls downwards.
        wanted = max(_LEAST_ACROSS, across if down < _LEAST_TO_READ else min(across, down))
        self.scale(wanted, wanted)
        if self._current in self._items:
            self.ensureVisible(self._items[self._current], 8, 24)

    def zoom(self, factor: float) -> None:
        """Make it larger or smaller."""
        now = self.transform().m11()
        wanted = min(_ZOOMS[1], max(_ZOOMS[0], now * factor))
        self._fitted = False
        self.scale(wanted / now, wanted / now)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom(1.0015 ** event.angleDelta().y())
            event.accept()
        else:
            super().wheelEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fitted:
            self.fit()

    def mousePressEvent(self, event: Any) -> None:
        item = self.itemAt(event.position().toPoint())
        if isinstance(item, NodeItem) and event.button() == Qt.MouseButton.LeftButton:
            self._choose(item.node)
            event.accept()
        else:
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: Any) -> None:
        super().mouseReleaseEvent(event)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
        if event.key() in steps:
            self._step(steps[Qt.Key(event.key())])
        elif event.text() in ("+", "=", "-"):
            self.zoom(1 / 1.2 if event.text() == "-" else 1.2)
        elif event.text() == "0":
            self.fit()
        else:
            super().keyPressEvent(event)

    def _step(self, by: int) -> None:
        layers = [node for node in self._boxes if node.role != "input" and node.state != "added"]
        names = [node.name for node in layers]
        place = names.index(self._current) + by if self._current in names else 0
        if 0 <= place < len(layers):
            self._choose(layers[place])

    def _choose(self, node: Box) -> None:
        name = "" if node.role == "input" or node.state == "added" else node.name
        self.set_current(name)
        self.selected.emit(name)


def _lane_centers(layout: Layout, widths: dict[str, int]) -> dict[int, float]:
    """The x of each lane's middle; a lane is as wide as its widest node, one of edges only is narrow."""
    wide: dict[int, int] = {}
    for name, (lane, _) in layout.cells.items():
        wide[lane] = max(wide.get(lane, 0), widths[name])
    for edge in layout.edges:
        for lane, _ in edge.through:
            wide.setdefault(lane, _THREAD)
    centers = {0: 0.0}
    for step in (1, -1):
        lane, edge_x = step, step * wide.get(0, _NARROW) / 2
        while lane in wide or any(step * other > step * lane for other in wide):
            width = wide.get(lane, _THREAD)
            centers[lane] = edge_x + step * (GAP + width / 2)
            edge_x, lane = centers[lane] + step * width / 2, lane + step
    return centers


def _corner(cell: Cell, lanes: dict[int, float]) -> tuple[float, float]:
    return lanes[cell[0]], cell[1] * PITCH


def _points(edge: Edge, layout: Layout, lanes: dict[int, float]) -> list[QPointF]:
    """Where the edge leaves a node or a cell and enters the next: it changes lanes in the gaps between ranks only."""
    (start, first), (end, last) = layout.cells[edge.source], layout.cells[edge.target]
    points = [QPointF(lanes[start], first * PITCH + HEIGHT)]
    for lane, rank in edge.through:
        points += [QPointF(lanes[lane], rank * PITCH), QPointF(lanes[lane], rank * PITCH + HEIGHT)]
    return [*points, QPointF(lanes[end], last * PITCH)]


def _elbows(points: Sequence[QPointF]) -> QPainterPath:
    """Straight within a lane, two rounded corners between lanes."""
    path = QPainterPath(points[0])
    for before, after in pairwise(points):
        way = after.x() - before.x()
        if abs(way) < 0.5:
            path.lineTo(after)
            continue
        middle = (before.y() + after.y()) / 2
        round_ = min(6.0, abs(way) / 2, after.y() - middle)
        side = round_ if way > 0 else -round_
        path.lineTo(before.x(), middle - round_)
        path.quadTo(before.x(), middle, before.x() + side, middle)
        path.lineTo(after.x() - side, middle)
        path.quadTo(after.x(), middle, after.x(), middle + round_)
        path.lineTo(after)
    return path
