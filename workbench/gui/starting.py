"""The weights that the next run will begin with: looked at in the background, before it is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from workbench.engine.parameters import Layout
from workbench.errors import WorkbenchError
from workbench.gui.workspace import Workspace
from workbench.session.start import Start, read_start

_SETTLE_MS = 250
_TOPIC = "start_from"


class StartingWeights(QObject):
    """Keeps what ``training.start_from`` amounts to in step with the document.

    Attributes:
        found: what will be taken; None where nothing is asked for, or it is not known (yet).
        error: why nothing can be taken.

    Signals:
        changed: either is another one.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.found: Start | None = None
        self.error: WorkbenchError | None = None
        self._key: Any = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLE_MS)
        self._timer.timeout.connect(self._look)
        document = workspace.document
        for signal in (document.recipeChanged, document.networkChanged, document.problemsChanged):
            signal.connect(self._on_change)
        workspace.runs.resultReady.connect(self._on_result)
        self._on_change()

    @property
    def looking(self) -> bool:
        """Whether it is being found out."""
        return self._key is not None and self.found is None and self.error is None

    def _on_result(self, number: int) -> None:
        """A run that has gone on has other weights by now."""
        entry, spec = self._workspace.runs.entry(number), self._workspace.document.recipe.training.start_from
        if self._key is not None and entry is not None and spec is not None and Path(spec.path) == entry.folder:
            self._timer.start()

    def _on_change(self, *_: object) -> None:
        key = self._asked()
        if key == self._key:
            return
        self._workspace.background.cancel(_TOPIC)
        self._key = key
        self._tell(None, None)
        if key is None:
            self._timer.stop()
        else:
            self._timer.start()

    def _asked(self) -> Any:
        """All that it depends on; None where nothing is asked for, or shapes are not known."""
        document = self._workspace.document
        spec, network = document.recipe.training.start_from, document.network
        if spec is None or network is None or document.problems:
            return None
        data = document.recipe.data
        shapes = tuple((slot.name, slot.outer_shape) for slot in Layout(network).in_order)
        return spec, shapes, data.sources, data.split, data.task, data.target, data.targets

    def _look(self) -> None:
        document, key = self._workspace.document, self._key
        spec, network, data = document.recipe.training.start_from, document.network, document.recipe.data
        if key is None or spec is None or network is None:
            return
        self._workspace.background.start(
            _TOPIC,
            lambda _: read_start(spec, network, data),
            lambda found: self._tell(found, None),
            lambda error: self._tell(None, error),
        )

    def _tell(self, found: Start | None, error: WorkbenchError | None) -> None:
        self.found, self.error = found, error
        self.changed.emit()
