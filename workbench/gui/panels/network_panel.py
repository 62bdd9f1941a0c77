"""Step 2, Network: the layers as a table and as a drawing, and the selected one's settings."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget, QWidget

from workbench.gui.diagram import Diagram, boxes_of
from workbench.gui.document import Document
from workbench.gui.figures import grouped, memory, short
from workbench.gui.network.details import LayerDetails
from workbench.gui.network.editor import NetworkEditor
from workbench.gui.network.layer_table import LayerTable
from workbench.gui.network.palettes import block_choices, layer_choices, preset_choices, spec_of
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.choice_popup import Choice, ChoicePopup
from workbench.gui.widgets.empty_state import EmptyState
from workbench.gui.widgets.labels import ElidedLabel
from workbench.gui.widgets.message import InlineMessage
from workbench.gui.widgets.panel import GAP, Panel


class NetworkPanel(QWidget):
    """Table, diagram and form over one document.

    Signals:
        importRequested: the user wants to bring data, so that shapes can be shown.
    """

    importRequested = Signal()

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Network"))
        self._document = document
        self.editor = NetworkEditor(document, self)
        self.table = LayerTable(self.editor)
        self.diagram = Diagram()
        self.details = LayerDetails(self.editor)
        self._message = InlineMessage("warning", closable=True)
        self._message.hide()
        self._without_data = InlineMessage(
            "info",
            text=self.tr("Import data to see shapes, parameters and what it costs."),
            action=self.tr("Import data"),
        )
        self._without_data.actionClicked.connect(self.importRequested)
        self._layers = Panel(self.tr("Layers"))
        self._drawing = Panel(self.tr("Diagram"))
        self._popup = ChoicePopup(self.tr("Type to find"), self)
        self._popup.chosen.connect(self._on_chosen)
        self._asked = ""
        self._build_layers()
        self._build_diagram()
        self._build_splitter()
        self._connect()
        self._update()
        self.editor.select_place(0)

    def _build_layers(self) -> None:
        self._add_layer = Button(
            self.tr("+ Layer"), clicked=self._ask_layer, tip=self.tr("Add a layer after the selected one")
        )
        self._add_block = Button(
            self.tr("+ Block"), clicked=self._ask_block, tip=self.tr("Add layers that go together")
        )
        more = Button("", "quiet", icon_name="menu", tip=self.tr("More for the selected layer"))
        more.set_menu(self.table.actions_on_layers.menu(more))
        for button in (self._add_layer, self._add_block, more):
            self._layers.add_control(button)
        self._empty = EmptyState(
            self.tr("The network’s layers will appear here"),
            self.tr("Start with a small network that fits most data, and change it as you like."),
            button=self.tr("Choose a network"),
        )
        self._empty.clicked.connect(lambda: self._ask_preset(self._empty.button))
        self._stack = QStackedWidget()
        self._stack.addWidget(self.table)
        self._stack.addWidget(self._empty)
        self._layers.add(self._stack, stretch=1)
        for message in (self._message, self._without_data):
            self._layers.add(message, padded=True)
        self._layers.add_space(4)
        foot = self._layers.foot()
        hint = self.tr("Drag to move · Del removes and keeps the chain · Ctrl D duplicates · F freezes")
        foot.addWidget(ElidedLabel(hint, "muted"), 1)
        self._presets = Button(self.tr("Presets"), clicked=lambda: self._ask_preset(self._presets))
        foot.addWidget(self._presets)

    def _build_diagram(self) -> None:
        self._drawing.add_control(
            Button(self.tr("fit"), "quiet", clicked=self.diagram.fit, tip=self.tr("Show all of it (0)"))
        )
        self._undrawn = EmptyState(self.tr("The network will be drawn here"), self.tr("Branches stand side by side."))
        self._drawing.add(self.diagram, stretch=1)
        self._drawing.add(self._undrawn, stretch=1)
        self.table.actions_on_layers.attach(self.diagram)

    def _build_splitter(self) -> None:
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setHandleWidth(GAP)
        self._splitter.setChildrenCollapsible(False)
        for panel, least in ((self._layers, 400), (self._drawing, 176), (self.details, 288)):
            panel.setMinimumWidth(least)
            self._splitter.addWidget(panel)
        self._splitter.setStretchFactor(0, 1)
        self._roomy: bool | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(GAP, GAP, GAP, GAP)
        row.addWidget(self._splitter)

    def _connect(self) -> None:
        self._document.recipeChanged.connect(self._update)
        self._document.networkChanged.connect(self._update)
        self._document.factsChanged.connect(self._update)
        self._document.memoryChanged.connect(lambda _: self._layers.set_note(self._summary()))
        self.editor.selectionChanged.connect(self.diagram.set_current)
        self.editor.failed.connect(self._on_failed)
        self.diagram.selected.connect(self.editor.select)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        room = event.size().width() - 4 * GAP
        roomy = room > 1200
        if roomy != self._roomy:
            # Once at each change between large and small: what the user has dragged stays otherwise.
            self._roomy = roomy
            side, details = (262, 330) if roomy else (196, 300)
            self._splitter.setSizes([room - side - details, side, details])

    def _update(self) -> None:
        recipe = self._document.recipe
        any_layers = bool(recipe.network.layers)
        self._stack.setCurrentWidget(self.table if any_layers else self._empty)
        self.diagram.setVisible(any_layers)
        self._undrawn.setVisible(not any_layers)
        self._without_data.setVisible(any_layers and self._document.facts is None)
        self._layers.set_note(self._summary())
        self.diagram.show_boxes(boxes_of(recipe.network, self._document.network))

    def _summary(self) -> str:
        network, recipe = self._document.network, self._document.recipe
        count = str(len(recipe.network.layers))
        if self._document.facts is None:
            return count
        if network is None:
            return " · ".join([count, *(problem.what for problem in self._document.problems)])
        parts = [
            count,
            self.tr("{0} parameters").format(grouped(network.parameter_count())),
            self.tr("{0} multiply-adds an example").format(short(network.multiply_adds())),
        ]
        if self._document.memory is not None:
            size = memory(self._document.memory)
            parts.append(self.tr("{0} at batch {1}").format(size, recipe.training.batch_size))
        return " · ".join(parts)

    def _ask(self, what: str, anchor: QWidget, choices: list[Choice]) -> None:
        self._asked = what
        self._popup.open_below(anchor, choices)

    def _ask_layer(self) -> None:
        self._ask("layer", self._add_layer, layer_choices())

    def _ask_block(self) -> None:
        self._ask("block", self._add_block, block_choices(self._input_shape()))

    def _ask_preset(self, anchor: QWidget) -> None:
        self._ask("preset", anchor, preset_choices(self._input_shape()))

    def _input_shape(self) -> tuple[int, ...] | None:
        facts = self._document.facts
        return facts.input_shape if facts else None

    def _on_chosen(self, key: str) -> None:
        if self._asked == "layer":
            self.editor.add(spec_of(key))
        elif self._asked == "block":
            self.editor.add_block(key)
        else:
            self.editor.take_preset(key)
        self.table.setFocus()

    def _on_failed(self, text: str) -> None:
        if text:
            self._message.set_message("warning", self.tr("Not done"), text)
        self._message.setVisible(bool(text))
