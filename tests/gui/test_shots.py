"""The panels in both themes and in the smallest and a usual window: drawn whole, without a warning of Qt's."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot
from shots import grab, shoot

from workbench.gui.data_facts import DataFacts
from workbench.gui.document import Document
from workbench.gui.panels.network_panel import NetworkPanel
from workbench.gui.panels.training_panel import TrainingPanel
from workbench.gui.theme import theme
from workbench.recipe.recipe import Recipe

_SIZES = [(1440, 900), (1024, 548)]


def _panel(name: str) -> QWidget:
    document = Document(Recipe())
    document.set_facts(DataFacts((28, 28, 1), classes=tuple("abcdefghij"), sizes={"train": 60_000}))
    network = NetworkPanel(document)
    network.editor.take_preset("residual")
    panel = network if name == "network" else TrainingPanel(document)
    document.setParent(panel)
    # The document outlives the panel that is not shown.
    panel.setProperty("kept", network)
    return panel


def _inks(picture: QImage) -> set[str]:
    return {
        picture.pixelColor(x, y).name() for x in range(0, picture.width(), 7) for y in range(0, picture.height(), 5)
    }


@pytest.mark.parametrize("name", ["network", "training"])
@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("size", _SIZES, ids=str)
def test_that_a_panel_is_drawn_in_the_colors_of_its_theme(
    qtbot: QtBot, name: str, mode: str, size: tuple[int, int]
) -> None:
    panel = _panel(name)
    qtbot.addWidget(panel)
    picture = grab(panel, size, mode)  # type: ignore[arg-type]
    t = theme().tokens
    inks = _inks(picture)
    assert {QColor(t.panel).name(), QColor(t.window).name(), QColor(t.text).name()} <= inks
    assert panel.minimumSizeHint().width() <= size[0]
    assert panel.minimumSizeHint().height() <= size[1]


def test_that_a_picture_can_be_written_at_twice_the_scale(qtbot: QtBot, tmp_path: Path) -> None:
    panel = _panel("training")
    qtbot.addWidget(panel)
    file = shoot(panel, tmp_path / "docs" / "training.png", (1000, 600), "light", 2.0)
    assert (QImage(str(file)).width(), QImage(str(file)).height()) == (2000, 1200)


def test_that_a_drawing_does_not_depend_on_the_theme_that_was_shown_before(qtbot: QtBot) -> None:
    panel = _panel("network")
    qtbot.addWidget(panel)
    first = grab(panel, (1200, 700), "light")
    grab(panel, (1200, 700), "dark")
    again = grab(panel, (1200, 700), "light")
    assert first == again
