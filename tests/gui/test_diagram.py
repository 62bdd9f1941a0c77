"""The diagram: where boxes stand, and what is drawn and selected."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from workbench.engine.network import inspect_network
from workbench.gui.diagram import Diagram, boxes_of
from workbench.gui.network.layout import lay_out
from workbench.recipe.network import INPUT, NetworkRecipe

_RESIDUAL: list[dict[str, Any]] = [
    {"kind": "dense", "units": 8, "name": "a"},
    {"kind": "dense", "units": 8, "name": "b"},
    {"kind": "activation", "name": "c", "enabled": False},
    {"kind": "add", "name": "d", "inputs": ["b", "a"]},
    {"kind": "dense", "units": "classes", "name": "e", "frozen": True},
]


def _recipe(layers: list[dict[str, Any]]) -> NetworkRecipe:
    return NetworkRecipe.model_validate({"layers": layers})


@st.composite
def _graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    nodes: dict[str, list[str]] = {"n0": []}
    for number in range(1, draw(st.integers(1, 14))):
        nodes[f"n{number}"] = draw(st.lists(st.sampled_from(list(nodes)), min_size=1, max_size=4))
    return nodes


@given(_graphs())
def test_that_no_two_boxes_share_a_place_and_edges_go_down_through_free_places(nodes: dict[str, list[str]]) -> None:
    layout = lay_out(nodes)
    assert len(set(layout.cells.values())) == len(nodes)
    taken = set(layout.cells.values())
    passed = [cell for edge in layout.edges for cell in edge.through]
    assert not taken & set(passed)
    assert len(passed) == len(set(passed)), "two edges do not lie on each other"
    for edge in layout.edges:
        first, last = layout.cells[edge.source][1], layout.cells[edge.target][1]
        assert [rank for _, rank in edge.through] == list(range(first + 1, last))
    wanted = {(source, name) for name, inputs in nodes.items() for source in inputs}
    assert {(edge.source, edge.target) for edge in layout.edges} == wanted


@given(st.integers(1, 40))
def test_that_a_chain_is_one_straight_line(length: int) -> None:
    layout = lay_out({f"n{number}": [f"n{number - 1}"] if number else [] for number in range(length)})
    assert {lane for lane, _ in layout.cells.values()} == {0}
    assert layout.ranks == length


def test_that_a_residual_block_keeps_the_chain_straight_and_leads_the_way_around_beside_it() -> None:
    layout = lay_out({"x": [], "p": ["x"], "q": ["p"], "sum": ["q", "x"]})
    assert {lane for lane, _ in layout.cells.values()} == {0}
    around = next(edge for edge in layout.edges if (edge.source, edge.target) == ("x", "sum"))
    assert around.through == ((1, 1), (1, 2))


def test_that_branches_stand_side_by_side() -> None:
    layout = lay_out({"x": [], "p": ["x"], "q": ["x"], "r": ["x"], "join": ["p", "q", "r"]})
    assert [layout.cells[name] for name in ("p", "q", "r")] == [(0, 1), (1, 1), (-1, 1)]
    assert layout.cells["join"] == (0, 2)


def test_that_the_input_what_is_off_and_what_the_training_adds_are_drawn_too() -> None:
    recipe = _recipe(_RESIDUAL)
    network = inspect_network(recipe, (4,), 3, dropout=0.5)
    boxes = {box.name: box for box in boxes_of(recipe, network)}
    assert boxes[INPUT].shape == (4,)
    assert boxes["c"].state == "off"
    assert boxes["dropout_before_b"].state == "added"
    assert boxes["b"].inputs == ("dropout_before_b",)
    assert boxes["d"].inputs == ("b", "a")
    assert boxes["e"].frozen


def test_that_without_data_the_layers_are_drawn_without_shapes() -> None:
    boxes = boxes_of(_recipe(_RESIDUAL), None)
    assert [box.name for box in boxes] == [INPUT, "a", "b", "c", "d", "e"]
    assert not any(box.shape for box in boxes)


def _diagram(qtbot: QtBot) -> Diagram:
    diagram = Diagram()
    diagram.resize(300, 400)
    qtbot.addWidget(diagram)
    diagram.show()
    qtbot.waitExposed(diagram)
    recipe = _recipe(_RESIDUAL)
    diagram.show_boxes(boxes_of(recipe, inspect_network(recipe, (4,), 3)))
    return diagram


def _middle(diagram: Diagram, name: str) -> QPoint:
    item = diagram._items[name]
    return diagram.mapFromScene(item.sceneBoundingRect().center())


def test_that_a_click_selects_a_layer_and_the_input_selects_none(qtbot: QtBot) -> None:
    diagram = _diagram(qtbot)
    with qtbot.waitSignal(diagram.selected) as told:
        qtbot.mouseClick(diagram.viewport(), Qt.MouseButton.LeftButton, pos=_middle(diagram, "b"))
    assert told.args == ["b"]
    assert diagram._items["b"].selected
    with qtbot.waitSignal(diagram.selected) as told:
        qtbot.mouseClick(diagram.viewport(), Qt.MouseButton.LeftButton, pos=_middle(diagram, INPUT))
    assert told.args == [""]


def test_that_up_and_down_go_from_layer_to_layer(qtbot: QtBot) -> None:
    diagram, told = _diagram(qtbot), []
    diagram.selected.connect(told.append)
    for _ in range(3):
        qtbot.keyClick(diagram, Qt.Key.Key_Down)
    qtbot.keyClick(diagram, Qt.Key.Key_Up)
    assert told == ["a", "b", "c", "b"]


def test_that_setting_the_current_layer_is_silent(qtbot: QtBot) -> None:
    diagram = _diagram(qtbot)
    with qtbot.assertNotEmitted(diagram.selected):
        diagram.set_current("d")
    assert [name for name, item in diagram._items.items() if item.selected] == ["d"]


def test_that_zoom_stays_within_bounds_and_fit_undoes_it(qtbot: QtBot) -> None:
    diagram = _diagram(qtbot)
    fitted = diagram.transform().m11()
    for _ in range(40):
        diagram.zoom(1.5)
    assert diagram.transform().m11() <= 2.5 + 1e-9
    for _ in range(60):
        qtbot.keyClick(diagram, "-")
    assert diagram.transform().m11() >= 0.35 - 1e-9
    qtbot.keyClick(diagram, "0")
    assert diagram.transform().m11() == fitted


def test_that_the_drawing_says_in_words_what_it_shows(qtbot: QtBot) -> None:
    diagram = _diagram(qtbot)
    assert diagram.accessibleName() == "Diagram of the network"
    assert "5 layer" in diagram.accessibleDescription()
