"""What can be done to the network in the document, and which layer is being looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QObject, Signal

from workbench.engine.network import Node
from workbench.errors import Problem
from workbench.gui.document import Document
from workbench.gui.network import edits
from workbench.gui.network.blocks import BLOCKS, PRESETS, Place, by_key
from workbench.gui.network.edits import Layers
from workbench.recipe.kinds import LayerSpec
from workbench.recipe.network import INPUT


class NetworkEditor(QObject):
    """The network's commands. Table, diagram and form share one, so that they agree on the selected layer.

    Signals:
        selectionChanged: the name of the selected layer; empty for none.
        failed: why something could not be done; empty once something could.
    """

    selectionChanged = Signal(str)
    failed = Signal(str)

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self._selected, self._last_place = "", 0
        document.recipeChanged.connect(self._on_recipe)

    @property
    def layers(self) -> Layers:
        """The layers as the recipe has them."""
        return self.document.recipe.network.layers

    @property
    def selected(self) -> str:
        """The name of the selected layer; empty for none."""
        return self._selected

    def place(self, name: str | None = None) -> int:
        """A layer's place in the list, by default the selected one's; -1 where there is none."""
        wanted = self._selected if name is None else name
        return next((place for place, layer in enumerate(self.layers) if layer.name == wanted), -1)

    def node(self, name: str) -> Node | None:
        """A layer's shapes; None while they are not known, or where it is off."""
        network = self.document.network
        return next((node for node in network.nodes if node.name == name), None) if network else None

    def select(self, name: str) -> None:
        """Look at a layer."""
        if name != self._selected:
            self._selected = name
            self._last_place = max(0, self.place())
            self.selectionChanged.emit(name)

    def select_place(self, place: int) -> None:
        """Look at the layer in a place; the nearest one where the list is shorter."""
        layers = self.layers
        self.select(layers[min(place, len(layers) - 1)].name if layers and place >= 0 else "")

    def add(self, spec: LayerSpec) -> None:
        """Put a layer in after the selected one, or before the output layer."""
        if getattr(spec, "least_inputs", 1) > 1:
            spec = spec.model_copy(update={"inputs": self._two_inputs()})
        self._insert([spec], self.tr("add {0}").format(type(spec).human_name()))

    def add_block(self, key: str) -> None:
        """Put a block in after the selected layer, or before the output layer."""
        block = by_key(BLOCKS, key)
        at = self._next_place()
        before = self.layers[at - 1].name if at else INPUT
        self._insert(block.layers(Place(before, self._shape_of(before))), self.tr("add {0}").format(block.title))

    def take_preset(self, key: str) -> None:
        """Replace all layers by those of a small network."""
        preset, facts = by_key(PRESETS, key), self.document.facts
        layers = edits.named_apart(preset.layers(facts.input_shape if facts else None), set())
        if self._put(layers, preset.title):
            self.select_place(0)

    def remove(self, places: Iterable[int]) -> None:
        """Take layers out; the chain stays closed."""
        gone = sorted(set(places))
        if not gone:
            return
        name = self.layers[gone[0]].name
        text = self.tr("remove {0}").format(name if len(gone) == 1 else self.tr("{0} layers").format(len(gone)))
        if self._put(edits.remove(self.layers, gone), text):
            self.select_place(gone[0])

    def duplicate(self, place: int) -> None:
        """Put a copy after a layer."""
        text = self.tr("duplicate {0}").format(self.layers[place].name)
        if self._put(edits.duplicate(self.layers, place), text):
            self.select_place(place + 1)

    def move(self, start: int, to: int) -> None:
        """Move a layer to another place."""
        if start == to or not 0 <= to < len(self.layers):
            return
        name = self.layers[start].name
        if self._put(edits.move(self.layers, start, to), self.tr("move {0}").format(name)):
            self.select(name)

    def rename(self, place: int, name: str) -> tuple[Problem, ...]:
        """Give a layer another name, also where others name it."""
        old = self.layers[place].name
        was_selected = old == self._selected
        if was_selected:
            # The new name exists only after the change, which everyone hears of at once.
            self._selected = name
        problems = self.document.set(
            "network.layers", edits.rename(self.layers, place, name), self.tr("rename {0} to {1}").format(old, name)
        )
        if was_selected and problems:
            self._selected = old
        elif was_selected and old != name:
            self.selectionChanged.emit(name)
        return problems

    def set_flag(self, place: int, flag: str, on: bool) -> None:
        """Switch ``frozen`` or ``enabled``."""
        words = {
            ("frozen", True): self.tr("freeze {0}"),
            ("frozen", False): self.tr("unfreeze {0}"),
            ("enabled", True): self.tr("turn {0} on"),
            ("enabled", False): self.tr("turn {0} off"),
        }
        layer = self.layers[place]
        self._report(self.document.set(f"network.layers[{place}].{flag}", on, words[flag, on].format(layer.name)))

    def toggle(self, place: int, flag: str) -> None:
        """Switch ``frozen`` or ``enabled`` over."""
        if place >= 0:
            self.set_flag(place, flag, not getattr(self.layers[place], flag))

    def _insert(self, specs: Sequence[LayerSpec], text: str) -> None:
        at = self._next_place()
        if self._put(edits.insert(self.layers, at, specs), text):
            self.select_place(at + len(specs) - 1)

    def _next_place(self) -> int:
        """After the selected layer; without one, before a last layer whose width the data sets."""
        place = self.place()
        if place >= 0:
            return place + 1
        layers = self.layers
        ends = bool(layers) and getattr(layers[-1], "units", None) == "classes"
        return len(layers) - 1 if ends else len(layers)

    def _two_inputs(self) -> tuple[str, ...]:
        """The layer before, and the nearest earlier one of the same shape; the one before that where none is."""
        at = self._next_place()
        names = [INPUT, *(layer.name for layer in self.layers[:at])]
        if len(names) < 2:
            return (INPUT, INPUT)
        first = names[-1]
        shape = self._shape_of(first)
        alike = [name for name in names[:-1] if shape is not None and self._shape_of(name) == shape]
        return (first, alike[-1] if alike else names[-2])

    def _shape_of(self, name: str) -> tuple[int, ...] | None:
        network = self.document.network
        if network is not None and name == INPUT:
            return network.input_shape
        node = self.node(name)
        return node.shape if node is not None and node.shape else None

    def _put(self, layers: Layers, text: str) -> bool:
        return self._report(self.document.set("network.layers", layers, text))

    def _report(self, problems: tuple[Problem, ...]) -> bool:
        self.failed.emit("\n".join(problem.what for problem in problems))
        return not problems

    def _on_recipe(self) -> None:
        place = self.place()
        if self._selected and place < 0:
            self.select_place(self._last_place)
        elif place >= 0:
            self._last_place = place
