"""Pictures of every step, light and dark, of a finished run.

``WORKBENCH_PICTURES=docs/pictures`` writes those of the docs.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from shots import grab, settle

from workbench.gui.actions import STEPS
from workbench.gui.main_window import MainWindow
from workbench.gui.theme import theme
from workbench.gui.workspace import Workspace
from workbench.session.samples import sample

SIZE = (1280, 800)
LARGEST = 160_000
"""Bytes of a picture: they are kept in the repository."""


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_that_every_step_gives_a_small_picture_in_its_theme(
    workspace: Workspace, qtbot: Any, tmp_path: Path, mode: Literal["light", "dark"]
) -> None:
    folder = Path(os.environ.get("WORKBENCH_PICTURES", tmp_path))
    window = MainWindow(workspace)
    window.resize(*SIZE)
    window.show()
    pictures = {"start": _save(window, folder / f"start-{mode}.png", mode)}
    with qtbot.waitSignal(workspace.runs.resultReady, timeout=60_000):
        workspace.run_sample(sample("clothes"))
    for step in STEPS:
        window.show_step(step)
        qtbot.wait(600)
        pictures[step] = _save(window, folder / f"{step}-{mode}.png", mode)
    for name, picture in pictures.items():
        dark = picture.pixelColor(4, SIZE[1] // 2).lightness() < 128
        assert dark == (mode == "dark"), name
        assert (folder / f"{name}-{mode}.png").stat().st_size < LARGEST, name
    assert len({picture.cacheKey() for picture in pictures.values()}) == len(STEPS) + 1
    assert len({_bytes(picture) for picture in pictures.values()}) == len(STEPS) + 1, "no two steps look the same"
    window.close()
    window.deleteLater()
    settle()
    theme().set_mode("light")


def _save(window: MainWindow, file: Path, mode: Literal["light", "dark"]) -> QImage:
    picture = grab(window, SIZE, mode)
    file.parent.mkdir(parents=True, exist_ok=True)
    flags = Qt.ImageConversionFlag.ThresholdDither | Qt.ImageConversionFlag.AvoidDither
    # The 256 commonest colors are enough for flat panels, and make a quarter of the bytes.
    small = picture.convertToFormat(QImage.Format.Format_Indexed8, _commonest(picture), flags)
    assert small.save(str(file), quality=0)
    return picture


def _commonest(picture: QImage) -> list[int]:
    colors, counts = np.unique(np.frombuffer(_bytes(picture), np.uint32), return_counts=True)
    return [int(color) for color in colors[np.argsort(-counts)[:256]]]


def _bytes(picture: QImage) -> bytes:
    return bytes(picture.constBits())
