"""The layers as a table model."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from workbench.gui.data_facts import DataFacts
from workbench.gui.document import Document
from workbench.gui.models.layers_model import (
    KIND,
    MULTIPLY_ADDS,
    NAME,
    OUTPUT,
    PARAMETERS,
    SUMMARY,
    LayersModel,
)
from workbench.gui.network.editor import NetworkEditor
from workbench.gui.widgets.table import CellRole
from workbench.recipe.recipe import Recipe

_LAYERS: list[dict[str, Any]] = [
    {"kind": "conv2d", "filters": 32},
    {"kind": "batch_norm"},
    {"kind": "activation"},
    {"kind": "flatten"},
    {"kind": "dense", "units": "classes", "name": "out"},
]


@pytest.fixture
def document() -> Document:
    made = Document(Recipe.parse({"network": {"layers": _LAYERS}}))
    made.set_facts(DataFacts((28, 28, 1), classes=tuple("abcdefghij")))
    return made


@pytest.fixture
def model(qtbot: QtBot, document: Document) -> LayersModel:
    made = LayersModel(NetworkEditor(document, document), document)
    made.tester = QAbstractItemModelTester(  # type: ignore[attr-defined]
        made, QAbstractItemModelTester.FailureReportingMode.Fatal, made
    )
    return made


def _texts(model: LayersModel, row: int) -> list[str]:
    return [str(model.index(row, column).data()).replace("\u00a0", " ") for column in range(model.columnCount())]


def test_that_a_row_tells_what_a_layer_is_gives_and_costs(model: LayersModel) -> None:
    assert _texts(model, 0) == ["1", "conv_1", "conv2d", "32 filters · 3×3 · same", "28 × 28 × 32", "320", "0.23 M"]
    assert _texts(model, 2)[PARAMETERS:] == ["—", "—"]
    headers = [model.headerData(column, Qt.Orientation.Horizontal, 0) for column in range(7)]
    assert headers == ["", "name", "kind", "", "output", "parameters", "multiply-adds"]


def test_that_figures_align_at_the_right_with_their_heads(model: LayersModel) -> None:
    for column in (OUTPUT, PARAMETERS, MULTIPLY_ADDS):
        for align in (
            model.index(0, column).data(Qt.ItemDataRole.TextAlignmentRole),
            model.headerData(column, Qt.Orientation.Horizontal, Qt.ItemDataRole.TextAlignmentRole),
        ):
            assert Qt.AlignmentFlag(align) & Qt.AlignmentFlag.AlignRight


def test_that_an_error_stands_at_the_layer_that_causes_it(qtbot: QtBot, model: LayersModel, document: Document) -> None:
    with qtbot.waitSignal(model.layoutChanged):
        document.set_many({"network.layers[0].padding": "valid", "network.layers[0].kernel": 30})
    assert model.index(0, 0).data(CellRole.NOTE) == "kernel 30×30 does not fit 28×28"
    assert model.index(1, 0).data(CellRole.NOTE) is None
    assert _texts(model, 1)[OUTPUT] == "—"
    assert "does not fit" in model.index(0, NAME).data(Qt.ItemDataRole.AccessibleTextRole)


def test_that_a_changed_value_updates_rows_without_a_reset(
    qtbot: QtBot, model: LayersModel, document: Document
) -> None:
    kept = QPersistentModelIndex(model.index(3, 0))
    with qtbot.assertNotEmitted(model.modelReset), qtbot.waitSignal(model.dataChanged):
        document.set("network.layers[0].filters", 8)
    assert kept.isValid()
    assert _texts(model, 0)[OUTPUT] == "28 × 28 × 8"


def test_that_a_layer_that_is_off_is_faint_and_struck_out(model: LayersModel, document: Document) -> None:
    document.set("network.layers[1].enabled", False)
    assert model.index(1, NAME).data(CellRole.STRUCK)
    assert model.index(1, KIND).data(CellRole.TONE) == "faint"
    assert model.index(1, SUMMARY).data() == "off"


def test_that_a_frozen_layer_carries_its_sign_and_says_so(model: LayersModel, document: Document) -> None:
    document.set("network.layers[0].frozen", True)
    assert model.index(0, NAME).data(CellRole.ICON) == "freeze"
    assert "frozen" in model.index(0, NAME).data(Qt.ItemDataRole.AccessibleTextRole)


def test_that_a_name_can_be_edited_and_a_wrong_one_is_refused(
    qtbot: QtBot, model: LayersModel, document: Document
) -> None:
    index = model.index(0, NAME)
    assert model.flags(index) & Qt.ItemFlag.ItemIsEditable
    assert model.setData(index, "first", Qt.ItemDataRole.EditRole)
    assert document.recipe.network.layers[0].name == "first"
    with qtbot.waitSignal(model._editor.failed) as told:
        assert not model.setData(model.index(0, NAME), "out", Qt.ItemDataRole.EditRole)
    assert told.args == ["two layers are called 'out'"]
    assert not model.setData(model.index(0, KIND), "x", Qt.ItemDataRole.EditRole)


def test_that_dropping_a_row_moves_the_layer(model: LayersModel, document: Document) -> None:
    data = model.mimeData([model.index(2, NAME)])
    assert not model.dropMimeData(data, Qt.DropAction.MoveAction, 1, 0, QModelIndex())
    assert [layer.name for layer in document.recipe.network.layers] == ["conv_1", "relu_1", "norm_1", "flat_1", "out"]
    back = model.mimeData([model.index(1, NAME)])
    model.dropMimeData(back, Qt.DropAction.MoveAction, 3, 0, QModelIndex())
    assert [layer.name for layer in document.recipe.network.layers] == ["conv_1", "norm_1", "relu_1", "flat_1", "out"]


def test_that_what_is_no_layer_cannot_be_dropped(model: LayersModel) -> None:
    from PySide6.QtCore import QMimeData

    text = QMimeData()
    text.setText("1")
    assert not model.canDropMimeData(text, Qt.DropAction.MoveAction, 0, 0, QModelIndex())
    for content in (b"-1", b"99", b"x", b"\xff"):
        wrong = QMimeData()
        wrong.setData(model.mimeTypes()[0], content)
        assert not model.canDropMimeData(wrong, Qt.DropAction.MoveAction, 0, 0, QModelIndex())


def test_that_the_model_follows_everything_that_happens_to_the_layers(model: LayersModel, document: Document) -> None:
    editor = model._editor
    editor.take_preset("residual")
    editor.duplicate(0)
    editor.remove([0, 3, 5])
    editor.move(2, 0)
    document.undo_stack.undo()
    document.set_facts(None)
    assert model.rowCount() == len(document.recipe.network.layers)
    assert [model.index(row, NAME).data() for row in range(model.rowCount())] == [
        layer.name for layer in document.recipe.network.layers
    ]
    editor.remove(range(model.rowCount()))
    assert model.rowCount() == 0
