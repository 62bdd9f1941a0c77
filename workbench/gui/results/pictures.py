"""The pictures of examples by their row in the sources, where the data being worked on are those of the run."""

from __future__ import annotations

from PySide6.QtGui import QImage

from workbench.gui.data.thumbs import shown_range, thumb
from workbench.gui.data_desk import DataState
from workbench.gui.results.tables import PictureOf

_SIDE = 26


def pictures_of(state: DataState | None, fingerprint: object) -> PictureOf:
    """Gives pictures for the run's data; none where other data are open now, whose rows are other examples."""
    dataset = state.dataset if state else None
    if state is None or dataset is None or dataset.content.pictures is None or dataset.fingerprint != fingerprint:
        return _none
    pictures = dataset.content.pictures
    low, high = shown_range(state.profile.pictures) if state.profile.pictures else (0.0, 255.0)

    def picture(row: int) -> QImage | None:
        return thumb(pictures[row], _SIDE, low, high) if 0 <= row < len(pictures) else None

    return picture


def _none(_: int) -> QImage | None:
    return None
