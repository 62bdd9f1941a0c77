"""How examples look, by their row in the sources, where the data being worked on are those of the run."""

from __future__ import annotations

from PySide6.QtGui import QImage

from workbench.gui.data.drawing import drawing_of
from workbench.gui.data_desk import DataState
from workbench.gui.results.tables import PictureOf

_SIDE = 26


def pictures_of(state: DataState | None, fingerprint: object) -> PictureOf:
    """Draws examples of the run's data; none where other data are open now, whose rows are other examples."""
    dataset = state.dataset if state else None
    if state is None or dataset is None or dataset.fingerprint != fingerprint:
        return _none
    draw, count = drawing_of(dataset.content, state.profile), dataset.content.rows

    def picture(row: int) -> QImage | None:
        return draw(row, _SIDE) if draw is not None and 0 <= row < count else None

    return picture


def _none(_: int) -> QImage | None:
    return None
