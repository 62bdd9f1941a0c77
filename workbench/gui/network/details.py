"""The selected layer: its form, what it costs, how its weights start."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, cast

from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.engine.layer import Layer
from workbench.engine.network import Node
from workbench.gui.figures import DASH, grouped, memory, percent, shape, short
from workbench.gui.forms.binding import Binding
from workbench.gui.forms.form import Form
from workbench.gui.forms.names import NamesEditor
from workbench.gui.forms.number import NumberOrWordEditor
from workbench.gui.network.editor import NetworkEditor
from workbench.gui.network.notes import initializer_note, needless_bias
from workbench.gui.widgets.chip import Chip
from workbench.gui.widgets.empty_state import EmptyState
from workbench.gui.widgets.facts_row import FactsList
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.message import InlineMessage
from workbench.gui.widgets.panel import INSIDE, Panel, Scroll, heading
from workbench.gui.wording import outputs_word
from workbench.recipe.network import INPUT

_ONLY_WHERE: dict[str, Callable[[Any], bool]] = {
    "constant": lambda layer: "constant" in (layer.initializer, getattr(layer, "recurrent_initializer", "")),
    "forget_bias": lambda layer: bool(layer.bias),
    "deviation": lambda layer: bool(layer.initializer != "zeros"),
    "bias": lambda layer: bool(getattr(layer, "affine", True)),
    "slope": lambda layer: bool(layer.function == "leaky_relu"),
    "alpha": lambda layer: bool(layer.function == "elu"),
    "frozen": lambda layer: layer.frozen or type(layer).parameters is not Layer.parameters,
}
"""Fields that another field's value makes meaningful, or the layer's weights."""


class LayerDetails(Panel):
    """The panel of one layer. The form is made anew when another kind of layer is selected."""

    def __init__(self, editor: NetworkEditor, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._editor = editor
        self._form: Form | None = None
        self._binding: Binding | None = None
        self._chip = Chip("", strong=True)
        self.add_control(self._chip)
        self._error = InlineMessage("error")
        self._costs = FactsList()
        self._costs_title = heading(self.tr("What it costs"))
        self._content = QWidget()
        self._inside = QVBoxLayout(self._content)
        self._inside.setContentsMargins(INSIDE, 4, INSIDE, INSIDE)
        self._inside.setSpacing(8)
        for widget in (self._error, self._costs_title, self._costs):
            self._inside.addWidget(widget)
        self._inside.addStretch(1)
        self._scroll = Scroll(self._content)
        self._empty = EmptyState(
            self.tr("A layer’s settings will appear here"),
            self.tr("Select a layer in the table or in the diagram."),
        )
        self.add(self._scroll, stretch=1)
        self.add(self._empty, stretch=1)
        self._starts = Label("", "muted", wrap=True)
        self.foot().addWidget(self._starts)
        editor.selectionChanged.connect(self.update_layer)
        editor.document.recipeChanged.connect(self.update_layer)
        editor.document.networkChanged.connect(self.update_layer)
        self.update_layer()

    def form(self) -> Form | None:
        """The form of the selected layer."""
        return self._form

    def update_layer(self) -> None:
        """Show the selected layer as it is now."""
        place = self._editor.place()
        chosen = place >= 0
        self._scroll.setVisible(chosen)
        self._empty.setVisible(not chosen)
        self._chip.setVisible(chosen)
        self.foot_frame().setVisible(False)
        if not chosen:
            self._drop_form()
            self.set_title(self.tr("Layer"))
            self.set_note("")
            return
        layer = cast(Layer, self._editor.layers[place])
        self.set_title(layer.name)
        self.set_note(layer.human_name())
        self._have_form(place, layer)
        self._show_facts(layer, self._editor.node(layer.name))

    def _drop_form(self) -> None:
        if self._binding is not None:
            self._binding.release()
        if self._form is not None:
            self._inside.removeWidget(self._form)
            self._form.hide()
            self._form.deleteLater()
        self._form = self._binding = None

    def _have_form(self, place: int, layer: Layer) -> None:
        path = f"network.layers[{place}]"
        if (
            self._form is None
            or self._binding is None
            or self._form.model is not type(layer)
            or self._binding.path != path
        ):
            self._drop_form()
            self._form = Form(type(layer), order=_order(type(layer)))
            writers = {"name": lambda name: self._editor.rename(self._editor.place(), str(name))}
            self._binding = Binding(self._form, self._editor.document, path, writers)
            self._inside.insertWidget(1, self._form)
        before = [one.name for one in self._editor.layers[:place]]
        inputs = self._form.row("inputs").editor
        assert isinstance(inputs, NamesEditor)
        inputs.offer([INPUT, *before])
        inputs.set_placeholder(self.tr("the layer before") if before else self.tr("the input"))
        units = self._form.rows().get("units")
        if units is not None and isinstance(units.editor, NumberOrWordEditor):
            units.editor.show_word(outputs_word(self._editor.document.recipe))
        for name, matters in _ONLY_WHERE.items():
            if name in self._form.rows():
                self._form.set_row_visible(name, matters(layer))

    def _show_facts(self, layer: Layer, node: Node | None) -> None:
        shapes = node.input_shapes if node else ()
        self._chip.set_text(self.tr("input {0}").format(", ".join(shape(one) for one in shapes)) if shapes else "")
        self._chip.setVisible(bool(shapes))
        error = node.error if node else ""
        if error:
            self._error.set_message("error", self.tr("It does not fit"), error)
        self._error.setVisible(bool(error))
        rows = self._cost_rows(node)
        self._costs.set_rows(rows)
        self._costs.setVisible(bool(rows))
        self._costs_title.setVisible(bool(rows))
        note = initializer_note(node) if node else ""
        self._starts.setText(note)
        self.foot_frame().setVisible(bool(note))
        self._show_hints(layer)

    def _show_hints(self, layer: Layer) -> None:
        network = self._editor.document.network
        row = self._form.rows().get("bias") if self._form else None
        if row is not None:
            row.explain(needless_bias(network, layer.name) if network and getattr(layer, "bias", False) else "")

    def _cost_rows(self, node: Node | None) -> list[tuple[str, str, str]]:
        network = self._editor.document.network
        if node is None or network is None or not node.shape:
            return []
        parameters, work = node.parameter_count(), node.multiply_adds()
        batch = self._editor.document.recipe.training.batch_size
        return [
            (self.tr("parameters"), grouped(parameters) if parameters else DASH,
             _share(parameters, network.parameter_count(), self.tr("of all"))),
            (self.tr("multiply-adds"), short(work) if work else DASH,
             _share(work, network.multiply_adds(), self.tr("of all"))),
            (self.tr("output"), memory(4 * prod(node.shape) * batch), self.tr("at batch {0}").format(batch)),
        ]  # fmt: skip


def _share(part: int, whole: int, words: str) -> str:
    return f"{percent(part / whole)} {words}" if part and whole else ""


def _order(kind: type[Layer]) -> list[str]:
    """The kind's own fields first; for a layer that joins others, what it joins."""
    shared = ("name", "inputs", "frozen", "enabled")
    own = [name for name in kind.model_fields if name not in shared]
    weights = ["frozen"] if own else []
    if kind.most_inputs > 1:
        return ["inputs", *own, "enabled", "name", "frozen"]
    return [*own, *weights, "enabled", "inputs", "name"]
