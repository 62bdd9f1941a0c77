"""Step 3, Train: what is in the layers, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu
from shots import settle
from support.small_runs import table_recipe, write_table
from support.train_page import begin, finish, open_recipe, plain, shown_page, wait

from workbench.gui.pages.train_page import TrainPage
from workbench.gui.plots.heat import HeatImage
from workbench.gui.theme import theme
from workbench.gui.widgets.table import CellRole
from workbench.gui.workspace import Workspace
from workbench.session.spreads import Histograms


@pytest.fixture
def page(workspace: Workspace, qtbot: Any) -> Iterator[TrainPage]:
    """The page around a workspace whose runs compute in this process."""
    yield from shown_page(workspace, qtbot)


def test_that_the_values_of_a_layer_are_drawn_over_the_epochs_and_told_in_a_sentence(
    page: TrainPage, qtbot: Any, tmp_path: Path
) -> None:
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path), epochs=40))
    number = finish(page, qtbot)
    signals = page.signals
    signals.show_plot("values")
    assert signals.layer.offered() == ["dense_1", "relu_1", "dense_2"]
    assert signals.layer.value() == "relu_1"
    heading = signals._small["values"].heading
    assert heading.text() == "Pre-activations"
    assert heading.term is not None
    assert "nearly linear" in heading.term.text
    plot = signals.plots["values"]
    records = page._workspace.runs.curves(number).layers
    assert [len(line.x) for line in plot.lines] == [len(records)] * 3
    np.testing.assert_array_equal(plot.lines[0].x, [record.epoch for record in records])
    assert signals.heat.image is not None
    assert "Pre-activations of relu_1: 90 % lie from" in plain(plot.accessibleDescription())
    assert signals.note.text() == "healthy"


def test_that_the_layer_is_chosen_beside_the_plot_or_in_the_table_of_layers(
    page: TrainPage, qtbot: Any, tmp_path: Path
) -> None:
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path), epochs=20))
    finish(page, qtbot)
    signals, table = page.signals, page.results.layer_table
    signals.show_plot("values")
    signals.layer.valueChanged.emit("dense_2")
    settle()
    assert signals._small["values"].heading.text() == "Weights"
    page.results.show_tab("layers")
    table.setFocus()
    table.setCurrentIndex(page.results.layers.index(1, 0))
    settle()
    assert signals.layer.value() == "relu_1"
    qtbot.keyClick(table, Qt.Key.Key_Up)
    settle()
    assert signals.layer.value() == "dense_1"


def test_that_the_numbers_of_a_plot_are_shown_as_a_table_and_the_plot_again(
    page: TrainPage, qtbot: Any, tmp_path: Path
) -> None:
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path), epochs=20))
    finish(page, qtbot)
    signals = page.signals
    signals.show_plot("values")
    menu = signals.menu(signals.plots["values"])
    menu.actions()[0].trigger()
    menu.close()
    assert signals.table.isVisible()
    assert not signals.plots["values"].isVisible()
    assert signals.model.columns == ("epoch", "95 % are below", "median", "5 % are below")
    assert signals.model.index(0, 0).data() == "20"
    signals.show_plot("norm")
    assert signals.model.columns[0] == "epoch"
    assert "dense_1" in signals.model.columns
    signals.show_plot("all")
    assert not signals.table.isVisible()
    signals.show_plot("values")
    signals.table.customContextMenuRequested.emit(QPoint(2, 2))
    opened = signals.findChildren(QMenu)[-1]
    assert opened.isVisible()
    assert opened.actions()[0].isChecked()
    opened.actions()[0].trigger()
    opened.close()
    assert signals.plots["values"].isVisible()


def test_that_dead_units_are_said_in_words_and_by_a_shape(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    recipe = table_recipe(write_table(tmp_path), epochs=40, optimizer={"kind": "adam", "learning_rate": 5.0})
    layers = [{"kind": "dense", "units": 16}, "activation"]
    open_recipe(
        page, qtbot, recipe.replace("network.layers", [*layers, *layers, {"kind": "dense", "units": "classes"}])
    )
    finish(page, qtbot)
    page.results.show_tab("layers")
    layers_model = page.results.layers
    row = next(row for row in range(layers_model.rowCount()) if layers_model.layer(row) == "relu_2")
    state = layers_model.index(row, 4)
    assert state.data() == "▲ dead units"
    assert state.data(CellRole.TONE) == "warning"
    assert "leaky_relu" in state.data(Qt.ItemDataRole.ToolTipRole).replace("\n", " ")
    assert plain(layers_model.index(row, 3).data()).endswith("% dead")
    assert layers_model.index(0, 3).data() == "—"
    assert page.signals.note.text().startswith("▲ relu_")
    assert "dead units" in page.signals.note.text()
    assert "learning rate" in page.signals.note.toolTip().replace("\n", " ")
    page.signals.show_plot("values")
    assert str(page.signals.layer.value()).startswith("relu_")


def test_that_values_are_drawn_while_it_trains(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path)))
    page.signals.show_plot("values")
    assert page.signals.layer.isHidden()
    number = begin(page, qtbot)
    assert page.signals.layer.isVisible()
    assert len(page.signals.plots["values"].lines) == 3
    page._workspace.runs.stop(number)
    wait(qtbot, lambda: not page._workspace.runs.busy())


def test_that_a_small_panel_leaves_the_room_to_the_states(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path), epochs=2))
    finish(page, qtbot)
    table = page.results.layer_table
    for width, hidden in ((1440, 0), (1024, 3)):
        page.resize(width, 560)
        settle()
        count = sum(table.isColumnHidden(column) for column in range(5))
        assert count == hidden or (width == 1440 and count <= 2)
        assert not table.isColumnHidden(4)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_that_histograms_are_drawn_where_they_lie_and_fade_out(qtbot: Any, mode: Any) -> None:
    theme().set_mode(mode)
    shares = np.array([[0, 0, 1000, 0], [0, 0, 0, 1000]], float)
    heat = Histograms(np.array([0.0, 10.0]), np.array([0.0, 0.0]), np.array([4.0, 4.0]), shares, 1)
    image = HeatImage()
    image.show_heat(heat, 1.0)
    pixels = image.image
    assert pixels is not None
    columns, rows = pixels.shape[:2]
    assert pixels[0, int(rows * 2.5 / 4), 3] == 255
    assert pixels[0, int(rows * 3.5 / 4), 3] == 0
    assert pixels[columns - 1, int(rows * 3.5 / 4), 3] == 255
    rect = image.mapRectToParent(image.boundingRect())
    assert (rect.left(), rect.right(), rect.top(), rect.bottom()) == pytest.approx((0, 10, 0, 4))
    strong = pixels[0, int(rows * 2.5 / 4), :3].astype(int).sum()
    assert bool(strong < 200) is (mode == "light")
    image.show_heat(None, 1.0)
    assert image.image is None
    theme().set_mode("light")
