"""PySide6 6.12.0 on Python 3.10 and 3.11 loses a reference to None and True with every void call and emitted signal."""

from __future__ import annotations

import sys

import pyqtgraph as pg
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

_A_FEW = 50
"""Other code takes and gives references meanwhile; the bug loses one a call."""


class _Source(QObject):
    told = Signal(object)


def test_that_calls_and_signals_lose_no_references_to_none_and_true(qtbot: QtBot) -> None:
    label, source, heard = QLabel(), _Source(), []
    qtbot.addWidget(label)
    source.told.connect(heard.append)
    before = sys.getrefcount(None), sys.getrefcount(True)
    for number in range(1_000):
        label.setText(str(number))
        source.told.emit(None)
        source.told.emit(True)
    heard.clear()
    assert sys.getrefcount(None) > before[0] - _A_FEW
    assert sys.getrefcount(True) > before[1] - _A_FEW


def test_that_redrawn_plots_lose_no_references_to_none_and_true(qtbot: QtBot) -> None:
    plot = pg.PlotWidget()
    qtbot.addWidget(plot)
    plot.resize(300, 200)
    plot.show()
    line = plot.plot([0, 1], [0, 1])
    before = sys.getrefcount(None), sys.getrefcount(True)
    for number in range(200):
        line.setData([0, 1, 2], [0, number, 1])
        plot.grab()
    assert sys.getrefcount(None) > before[0] - _A_FEW
    assert sys.getrefcount(True) > before[1] - _A_FEW
