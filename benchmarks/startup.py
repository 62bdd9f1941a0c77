"""How long the program takes to start: the command line, and the window until it is painted and idle.

    .venv/bin/python benchmarks/startup.py [--runs 7]

Each run is a process of its own. Beside them stand what no program of the kind can go below: starting Python, and
loading Qt. The first round warms the disk cache and is not counted.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

WINDOW = """
from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QApplication
from workbench.gui import app

class Timed(app.MainWindow):
    painted = False

    def event(self, event):
        done = super().event(event)
        if event.type() == QEvent.Type.Paint and not self.painted:
            self.painted = True
            # Behind everything that is waiting: when it comes, the window answers.
            QTimer.singleShot(0, QApplication.quit)
        return done

app.MainWindow = Timed
app.start([])
"""

WHAT = {
    "Python alone": ["-c", "pass"],
    "Qt alone (import PySide6.QtWidgets)": ["-c", "import PySide6.QtWidgets"],
    "workbench --help": ["-m", "workbench", "--help"],
    "workbench doctor --json": ["-m", "workbench", "doctor", "--json"],
    "window, painted and idle": ["-c", WINDOW],
}


def seconds(arguments: list[str], home: str) -> float:
    """How long a process takes from its start to its end."""
    own = dict.fromkeys(("HOME", "WORKBENCH_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), home)
    environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ, **own, "PYTHONPATH": str(ROOT)}
    started = time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True)
    took = time.perf_counter() - started
    if done.returncode:
        sys.exit(done.stderr)
    return took


def main() -> None:
    """Measure all in turns and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7, help="rounds that count")
    options = parser.parse_args()
    times: dict[str, list[float]] = {name: [] for name in WHAT}
    with tempfile.TemporaryDirectory() as home:
        for _ in range(options.runs + 1):
            for name, arguments in WHAT.items():
                times[name].append(seconds(arguments, home))
    print("| what | median | fastest | slowest |\n|---|---|---|---|")
    for name, found in times.items():
        counted = found[1:]
        print(f"| {name} | {statistics.median(counted):.2f} s | {min(counted):.2f} s | {max(counted):.2f} s |")


if __name__ == "__main__":
    main()
