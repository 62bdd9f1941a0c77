"""Make the bundled samples under ``resources/samples`` from their sources.

    python packaging/make_samples.py [FASHION_MNIST_FOLDER]

Needs scikit-learn (for its digits) and the files of Fashion-MNIST (Debian: ``dataset-fashion-mnist``). Equal sources
give equal files.
"""

from __future__ import annotations

import csv
import gzip
import io
import sys
from pathlib import Path

import numpy as np

SAMPLES = Path(__file__).resolve().parent.parent / "resources" / "samples"
CLOTHES = 2_000
CLASSES = ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
"""Of Fashion-MNIST, in the order of its labels (its README)."""
VALVES = 24_000
FLIPPED = 0.01


def clothes(source: Path) -> None:
    """The first pictures of each class of Fashion-MNIST's training set, with the names of the classes."""
    pictures = _idx(source / "train-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    labels = _idx(source / "train-labels-idx1-ubyte.gz", 8)
    rows = np.sort(np.concatenate([np.flatnonzero(labels == label)[: CLOTHES // 10] for label in range(10)]))
    path = SAMPLES / "clothes" / "clothes.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, x=pictures[rows], y=np.array(CLASSES)[labels[rows]])


def digits() -> None:
    """scikit-learn's digits: 64 brightness values from 0 to 16, and the digit."""
    from sklearn.datasets import load_digits

    data = load_digits()
    names = [f"row{row}_column{column}" for row in range(8) for column in range(8)]
    rows = [[*map(int, values), int(digit)] for values, digit in zip(data.data, data.target, strict=True)]
    _write_csv(SAMPLES / "digits" / "digits.csv", [*names, "digit"], rows)


def valves() -> None:
    """Made up: a valve is worn where its flow lies below a wave over its pressure; 1 % of the answers are wrong.

    The Bayes error is that 1 % by construction.
    """
    random = np.random.default_rng(20)
    pressure, flow = random.uniform(-1, 1, (2, VALVES))
    worn = flow < 0.45 * np.sin(4 * pressure)
    worn ^= random.random(VALVES) < FLIPPED
    columns = [5 + 2 * pressure, 40 + 15 * flow, random.normal(60, 8, VALVES)]
    rows = [
        [f"{bar:.3f}", f"{liters:.2f}", f"{degrees:.1f}", "worn" if bad else "sound"]
        for bar, liters, degrees, bad in zip(*columns, worn, strict=True)
    ]
    _write_csv(SAMPLES / "valves" / "valves.csv", ["pressure_bar", "flow_l_min", "temperature_c", "state"], rows)


def _idx(path: Path, header: int) -> np.ndarray:
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)


def _write_csv(path: Path, head: list[str], rows: list[list[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([head, *rows])
    path.write_text(text.getvalue())


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/datasets/fashion-mnist")
    clothes(folder)
    digits()
    valves()
