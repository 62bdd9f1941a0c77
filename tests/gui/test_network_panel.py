"""Step 2, Network, as a user works in it."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from workbench.engine.layer import Layer, ShapeError
from workbench.gui.data_facts import DataFacts
from workbench.gui.document import Document
from workbench.gui.forms.number import NumberEditor, NumberOrWordEditor
from workbench.gui.network.notes import initializer_note, needless_bias
from workbench.gui.network.palettes import layer_choices, spec_of
from workbench.gui.panels.network_panel import NetworkPanel
from workbench.recipe.kinds import LayerSpec
from workbench.recipe.recipe import Recipe
from workbench.recipe.tasks import TASKS, Task

_CNN: list[dict[str, Any]] = [
    {"kind": "conv2d", "filters": 8},
    {"kind": "batch_norm"},
    {"kind": "activation"},
    {"kind": "max_pool2d"},
    {"kind": "flatten"},
    {"kind": "dense", "units": "classes", "name": "out"},
]
_PICTURES = DataFacts((28, 28, 1), classes=tuple("abcdefghij"), sizes={"train": 6000})


def _panel(qtbot: QtBot, layers: list[dict[str, Any]], facts: DataFacts | None = _PICTURES) -> NetworkPanel:
    document = Document(Recipe.parse({"network": {"layers": layers}}))
    document.set_facts(facts)
    panel = NetworkPanel(document)
    document.setParent(panel)
    qtbot.addWidget(panel)
    panel.resize(1440, 800)
    panel.show()
    panel.activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    panel.table.setFocus()
    return panel


def _names(panel: NetworkPanel) -> list[str]:
    return [layer.name for layer in panel.editor.layers]


def _plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def _choose(qtbot: QtBot, panel: NetworkPanel, button: str, text: str) -> None:
    _button(panel, button).click()
    qtbot.keyClicks(panel._popup._line, text)
    qtbot.keyClick(panel._popup._line, Qt.Key.Key_Return)


def _button(within: QWidget, text: str) -> QAbstractButton:
    return next(button for button in within.findChildren(QAbstractButton) if button.text() == text)


def test_that_the_head_tells_what_the_whole_network_costs(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _CNN)
    note = panel._layers.note().replace("\u00a0", " ")
    assert note == "6 · 15 786 parameters · 72.1 k multiply-adds an example"
    panel._document.set_memory(3_200_000)
    assert _plain(panel._layers.note()) == f"{note} · 3.2 MB at batch 64"
    panel._document.set_memory(None)
    assert _plain(panel._layers.note()) == note


@pytest.mark.parametrize("key", [choice.key for choice in layer_choices()])
def test_that_a_layer_as_the_palette_adds_it_fits_some_usual_input(key: str) -> None:
    layer = spec_of(key)
    assert isinstance(layer, Layer)
    count = layer.least_inputs
    fits = []
    for shape in ((64,), (20, 64), (28, 28, 32)):
        with contextlib.suppress(ShapeError):
            fits.append(layer.output_shape([shape] * count))
    assert fits


def test_that_an_embedding_of_normalized_numbers_is_marked_where_it_stands(qtbot: QtBot) -> None:
    layers: list[dict[str, Any]] = [{"kind": "embedding"}, {"kind": "flatten"}, {"kind": "dense", "units": "classes"}]
    panel = _panel(qtbot, layers, DataFacts((12,), classes=("a", "b"), sizes={"train": 600}))
    panel.editor.select("embed_1")
    assert panel.details._error.isVisible()
    assert 'data.normalize = "standard" makes other numbers' in panel.details._error.text()
    panel.editor.document.set("data.normalize", "none")
    assert not panel.details._error.isVisible()


def test_that_a_shift_is_asked_for_only_where_a_layer_norm_has_weights(qtbot: QtBot) -> None:
    panel = _panel(qtbot, [{"kind": "layer_norm"}, {"kind": "flatten"}, {"kind": "dense", "units": "classes"}])
    panel.editor.select("norm_1")
    form = panel.details.form()
    assert form is not None
    form.set_expert(True)
    assert form.row("bias").editor.isVisible()
    panel.editor.document.set("network.layers[0].affine", False)
    assert not form.row("bias").editor.isVisible()


def test_that_only_layers_with_weights_ask_whether_they_are_frozen(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _CNN)
    shown = {}
    for name in _names(panel):
        panel.editor.select(name)
        form = panel.details.form()
        assert form is not None
        form.set_expert(True)
        shown[name] = form.row("frozen").editor.isVisibleTo(form)
    weights = ("conv_1", "norm_1", "out")
    assert shown == {name: name in weights for name in shown}
    panel.editor.select("relu_1")
    panel._document.set("network.layers[2].frozen", True)
    form = panel.details.form()
    assert form is not None
    assert form.row("frozen").editor.isVisibleTo(form), "what is set can be taken back"


def test_that_without_data_the_network_can_be_edited_and_import_is_offered(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _CNN, None)
    assert panel._layers.note() == "6"
    with qtbot.waitSignal(panel.importRequested):
        _button(panel, "Import data").click()
    _choose(qtbot, panel, "+ Layer", "dropout")
    assert _names(panel)[1] == "drop_1"
    panel._document.set_facts(_PICTURES)
    assert not panel._without_data.isVisible()
    assert "parameters" in panel._layers.note()


def test_that_an_empty_network_offers_small_ones_to_start_with(qtbot: QtBot) -> None:
    panel = _panel(qtbot, [])
    assert panel._empty.isVisible()
    panel._empty.button.click()
    qtbot.keyClicks(panel._popup._line, "batch")
    qtbot.keyClick(panel._popup._line, Qt.Key.Key_Return)
    assert panel.table.isVisible()
    assert panel._document.problems == ()
    assert panel.editor.selected == "conv_1"
    panel._document.undo_stack.undo()
    assert panel._empty.isVisible()
    assert panel._document.undo_stack.redoText() == "CNN with batch norm"


def test_that_presets_for_pictures_cannot_be_taken_for_a_table(qtbot: QtBot) -> None:
    panel = _panel(qtbot, [], DataFacts((30,), classes=("a", "b")))
    panel._empty.button.click()
    assert panel._popup.shown() == ["mlp"]
    panel._popup.hide()


def test_that_a_layer_is_added_after_the_selected_one_and_selected(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _CNN)
    panel.editor.select("norm_1")
    _choose(qtbot, panel, "+ Layer", "dropout")
    assert _names(panel) == ["conv_1", "norm_1", "drop_1", "relu_1", "pool_1", "flat_1", "out"]
    assert panel.editor.selected == "drop_1"
    assert panel._document.undo_text() == "Undo: add dropout"


def test_that_a_layer_that_joins_others_is_added_with_something_to_join(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _CNN)
    panel.editor.select("relu_1")
    panel.editor.add(spec_of("add"))
    layer = panel.editor.layers[3]
    assert (layer.name, layer.inputs) == ("add_1", ("relu_1", "norm_1"))
    assert panel._document.problems == ()


def test_that_a_block_is_added_joined_and_sized_to_its_place(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _CNN)
    panel.editor.select("relu_1")
    _choose(qtbot, panel, "+ Block", "residual")
    assert panel._document.problems == ()
    added = next(layer for layer in panel.editor.layers if layer.kind == "add")
    assert added.inputs[1] == "relu_1"
    assert panel._document.undo_text() == "Undo: add residual block"


@pytest.mark.parametrize("kind", list(LayerSpec.kinds()))
def test_that_every_registered_layer_is_offered_and_can_be_added(qtbot: QtBot, kind: str) -> None:
    keys = [choice.key for choice in layer_choices() if choice.key.partition(":")[0] == kind]
    assert keys
    panel = _panel(qtbot, _CNN)
    for key in keys:
        panel.editor.add(spec_of(key))
    assert len(panel.editor.layers) == len(_CNN) + len(keys)
    assert panel.details.form() is not None


def test_that_the_keys_of_the_table_do_what_they_say(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _CNN)
    panel.editor.select("relu_1")
    qtbot.keyClick(panel.table, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert _names(panel)[2:4] == ["relu_1", "relu_2"]
    qtbot.keyClick(panel.table, Qt.Key.Key_Delete)
    assert _names(panel)[2:4] == ["relu_1", "pool_1"]
    panel.editor.select("relu_1")
    qtbot.keyClick(panel.table, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert _names(panel)[:3] == ["conv_1", "relu_1", "norm_1"]
    assert panel.editor.selected == "relu_1"
    qtbot.keyClick(panel.table, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert _names(panel)[:3] == ["conv_1", "norm_1", "relu_1"]
    panel.editor.select("conv_1")
    qtbot.keyClick(panel.table, Qt.Key.Key_F)
    assert panel.editor.layers[0].frozen
    qtbot.keyClick(panel.table, Qt.Key.Key_O)
    assert not panel.editor.layers[0].enabled


def test_that_arrow_keys_in_the_table_change_diagram_and_form(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _CNN)
    qtbot.keyClick(panel.table, Qt.Key.Key_Down)
    assert panel.editor.selected == "norm_1"
    assert panel.diagram._items["norm_1"].selected
    assert panel.details.accessibleName() == "norm_1"


def test_that_a_click_in_the_diagram_selects_the_row(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _CNN)
    panel.diagram.selected.emit("pool_1")
    assert panel.table.places() == [3]
    assert panel.details.accessibleName() == "pool_1"


def test_that_several_rows_can_be_removed_at_once(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _CNN)
    panel.table.selectAll()
    qtbot.keyClick(panel.table, Qt.Key.Key_Delete)
    assert _names(panel) == []
    assert panel._document.undo_text() == "Undo: remove 6 layers"


def test_that_a_name_is_edited_in_its_row(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _CNN)
    panel.editor.select("conv_1")
    qtbot.keyClick(panel.table, Qt.Key.Key_F2)
    line = panel.table.findChild(QLineEdit)
    assert line is not None
    line.setText("first")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: _names(panel)[0] == "first")
    assert panel.editor.selected == "first"


def test_that_a_name_changed_in_the_form_is_changed_wherever_it_is_used(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _CNN)
    panel.editor.select("relu_1")
    panel.editor.add(spec_of("add"))
    panel.editor.select("norm_1")
    form = panel.details.form()
    assert form is not None
    line = form.row("name").editor.findChild(QLineEdit)
    assert line is not None
    line.setFocus()
    line.setText("calm")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert panel.editor.layers[3].inputs == ("relu_1", "calm")
    assert panel.editor.selected == "calm"
    line = panel.details.form().row("name").editor.findChild(QLineEdit)  # type: ignore[union-attr]
    assert line is not None
    line.setFocus()
    line.setText("conv_1")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert panel.details.form().row("name").wrong == "two layers are called 'conv_1'"  # type: ignore[union-attr]
    assert panel.editor.layers[1].name == "calm"


def test_that_typing_in_the_form_changes_shapes_at_once_and_keeps_the_field(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _CNN)
    panel.editor.select("conv_1")
    form = panel.details.form()
    assert form is not None
    editor = form.row("filters").editor
    assert isinstance(editor, NumberEditor)
    editor.line.setFocus()
    editor.line.selectAll()
    qtbot.keyClicks(editor.line, "16")
    assert _plain(panel.table.model().index(0, 4).data()) == "28 × 28 × 16"
    assert panel.details.form() is form
    assert editor.line.hasFocus()
    assert panel._document.undo_text() == "Undo: filters 8 → 16"


def test_that_a_layer_that_does_not_fit_says_so_in_row_diagram_and_form(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _CNN)
    panel.editor.select("conv_1")
    height = panel.table.visualRect(panel.table.model().index(0, 1)).height()
    panel._document.set_many({"network.layers[0].padding": "valid", "network.layers[0].kernel": 30})
    qtbot.waitUntil(lambda: panel.table.visualRect(panel.table.model().index(0, 1)).height() > height)
    assert panel.diagram._items["conv_1"].node.error == "kernel 30×30 does not fit 28×28"
    assert panel.details._error.isVisible()
    assert "does not fit" in panel.details._error.text()


def test_that_a_move_that_cannot_be_is_refused_in_words_and_nothing_changes(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _CNN)
    panel.editor.select("relu_1")
    panel.editor.add(spec_of("add"))
    before = _names(panel)
    panel.editor.move(3, 0)
    assert _names(panel) == before
    assert panel._message.isVisible()
    assert "comes later" in panel._message.text()
    panel.editor.move(1, 2)
    assert not panel._message.isVisible()


def test_that_undo_brings_back_a_removed_layer_and_selects_sensibly(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _CNN)
    panel.editor.select("norm_1")
    qtbot.keyClick(panel.table, Qt.Key.Key_Delete)
    assert panel.editor.selected == "relu_1"
    panel._document.undo_stack.undo()
    assert _names(panel) == ["conv_1", "norm_1", "relu_1", "pool_1", "flat_1", "out"]
    panel._document.undo_stack.redo()
    panel._document.start(Recipe.parse({"network": {"layers": [{"kind": "dense", "units": "classes"}]}}))
    assert panel.editor.selected == "dense_1"


def test_that_the_menu_knows_the_state_of_the_selected_layer(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _CNN)
    actions = panel.table.actions_on_layers
    panel._document.set("network.layers[0].frozen", True)
    panel.editor.select("conv_1")
    actions.update_state()
    assert actions.freeze.text() == "Unfreeze"
    assert not actions.up.isEnabled()
    panel.editor.select("out")
    actions.update_state()
    assert actions.freeze.text() == "Freeze"
    assert not actions.down.isEnabled()


def test_that_costs_and_first_values_of_a_layer_are_told(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _CNN)
    panel.editor.select("out")
    texts = [label.text().replace("\u00a0", " ") for label in panel.details._costs.findChildren(QLabel)]
    assert "15 690" in texts
    assert "99.4 % of all" in texts
    network = panel._document.network
    assert network is not None
    assert (
        initializer_note(network.nodes[0])
        == "He: zero mean, variance 2 / (3·3·1), normal. Suits ReLU and its relatives."
    )
    assert initializer_note(network.nodes[-1]).startswith("He: zero mean, variance 2 / 1568, normal.")
    assert initializer_note(network.nodes[1]) == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("glorot_uniform", "variance 2 / (9 + 72), uniform"),
        ("lecun_normal", "variance 1 / (3·3·1), normal"),
        ("zeros", "start at 0"),
    ],
)
def test_that_the_note_gives_the_variance_that_the_engine_uses(qtbot: QtBot, name: str, words: str) -> None:
    panel = _panel(qtbot, _CNN)
    panel._document.set("network.layers[0].initializer", name)
    network = panel._document.network
    assert network is not None
    note = initializer_note(network.nodes[0])
    assert words.replace("9 + 72", "3·3·1 + 72") in note
    weight = network.nodes[0].parameters[0]
    expected = {"glorot_uniform": 2 / (9 + 72), "lecun_normal": 1 / 9, "zeros": 0.0}[name]
    assert weight.initializer.variance(weight.fan_in, weight.fan_out) == pytest.approx(expected)


def test_that_the_note_says_what_orthogonal_weights_keep(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _CNN)
    panel._document.set("network.layers[0].initializer", "orthogonal")
    assert panel._document.network is not None
    assert initializer_note(panel._document.network.nodes[0]).startswith("Orthogonal: keeps the length")


def test_that_a_bias_before_a_batch_norm_is_called_needless_and_no_other(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _CNN)
    network = panel._document.network
    assert network is not None
    assert needless_bias(network, "conv_1") == "could go: a batch norm follows"
    row = panel.details.form().row("bias")  # type: ignore[union-attr]
    assert row.note.text() == "could go: a batch norm follows"
    panel._document.set("network.layers[0].bias", False)
    assert row.note.isHidden()
    assert needless_bias(network, "out") == ""
    assert needless_bias(network, "norm_1") == ""


@pytest.mark.parametrize("width", [1008, 1440, 2400])
def test_that_nothing_is_cut_off_at_any_width(qtbot: QtBot, width: int) -> None:
    panel = _panel(qtbot, _CNN)
    panel.resize(width, 560)
    qtbot.waitUntil(lambda: panel.width() == width)
    table = panel.table
    shown = [column for column in range(7) if not table.isColumnHidden(column)]
    assert sum(table.columnWidth(column) for column in shown) <= table.viewport().width()
    assert table.header().horizontalScrollBar().maximum() == 0
    assert panel.details.width() >= 288


def test_that_all_words_of_the_panel_are_plain_text_and_all_controls_have_names(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _CNN)
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in panel.findChildren(QLabel))
    nameless = [
        type(button).__name__
        for button in panel.findChildren(QAbstractButton)
        if button.isVisible() and not (button.accessibleName() or button.text())
    ]
    assert nameless == []


@pytest.mark.parametrize(
    ("task", "word"), [("classification", "classes"), ("multilabel", "labels"), ("regression", "outputs")]
)
def test_that_the_last_layers_units_are_called_what_they_stand_for(qtbot: QtBot, task: Task, word: str) -> None:
    panel = _panel(qtbot, _CNN)
    document = panel._document
    document.set_many({"data.task": task, "training.loss": TASKS[task].loss}, "task")
    panel.editor.select("out")
    form = panel.details.form()
    assert form is not None
    units = form.row("units").editor
    assert isinstance(units, NumberOrWordEditor)
    (button,) = (one for one in units.findChildren(QAbstractButton) if one.isCheckable())
    assert (button.text(), button.isChecked()) == (word, True)
    assert units.line.placeholderText() == word
    assert panel.editor.layers[-1].summary() == "a unit for each output"
    button.click()
    assert document.undo_stack.undoText() == f"units {word} → 64"
    units.line.setText(word)
    units.line.editingFinished.emit()
    assert document.recipe.get("network.layers[5].units") == "classes", "what the file says stays"
