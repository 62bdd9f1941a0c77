"""IDX files: pictures find their labels, sizes are checked, the real thing is read."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from support.data_rig import FASHION, read, values, write_idx

from workbench.data.readers.idx import label_file, read_idx
from workbench.data.reading import quiet
from workbench.errors import InputError

PICTURES = np.random.default_rng(1).integers(0, 256, (7, 4, 3))
LABELS = np.array([3, 0, 3, 1, 0, 1, 9])


@pytest.fixture(params=["", ".gz"], ids=["plain", "gzip"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    write_idx(tmp_path / f"train-images-idx3-ubyte{request.param}", PICTURES)
    write_idx(tmp_path / f"train-labels-idx1-ubyte{request.param}", LABELS)
    write_idx(tmp_path / f"t10k-images-idx3-ubyte{request.param}", PICTURES[:2])
    write_idx(tmp_path / f"t10k-labels-idx1-ubyte{request.param}", LABELS[:2])
    return tmp_path


def test_that_pictures_find_their_labels(folder: Path) -> None:
    path = next(folder.glob("train-images*"))
    content = read(path)
    assert content.pictures is not None
    np.testing.assert_array_equal(content.pictures[..., 0], PICTURES)
    assert values(content, "label") == ["3", "0", "3", "1", "0", "1", "9"]
    assert content.label == "label"
    assert content.sets is None


def test_that_a_folder_is_read_as_a_whole_with_its_test_set(folder: Path) -> None:
    content = read(folder)
    assert content.rows == 9
    assert content.sets is not None
    assert content.sets.tolist() == [-1] * 7 + [2] * 2
    assert values(content, "label")[7:] == ["3", "0"]


def test_that_a_file_and_its_packed_twin_are_read_once(tmp_path: Path) -> None:
    for end in ("", ".gz"):
        write_idx(tmp_path / f"train-images-idx3-ubyte{end}", PICTURES)
        write_idx(tmp_path / f"train-labels-idx1-ubyte{end}", LABELS)
    assert read(tmp_path).rows == 7


@pytest.mark.parametrize(
    ("pictures", "labels"),
    [
        ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
        ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte"),
        ("train-images.idx3-ubyte", "train-labels.idx1-ubyte"),
        ("emnist-letters-train-images-idx3-ubyte", "emnist-letters-train-labels-idx1-ubyte"),
        ("my_images.idx", "my_labels.idx"),
        ("images/image-images-idx3-ubyte", "images/image-labels-idx1-ubyte"),
    ],
)
def test_that_label_files_are_found_by_name(tmp_path: Path, pictures: str, labels: str) -> None:
    (tmp_path / "images").mkdir()
    write_idx(tmp_path / pictures, PICTURES)
    assert label_file(tmp_path / pictures) is None
    write_idx(tmp_path / labels, LABELS)
    assert label_file(tmp_path / pictures) == tmp_path / labels


def test_that_labels_that_are_named_are_used(tmp_path: Path) -> None:
    write_idx(tmp_path / "a.idx", PICTURES)
    write_idx(tmp_path / "b.idx", LABELS)
    assert values(read(tmp_path / "a.idx", labels=str(tmp_path / "b.idx")), "label")[0] == "3"


def test_that_pictures_without_labels_can_be_read_for_prediction(tmp_path: Path) -> None:
    content = read(write_idx(tmp_path / "a.idx", PICTURES))
    assert content.columns == ()
    assert content.rows == 7


@pytest.mark.parametrize(("code", "dtype"), [(9, ">i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")])
def test_that_every_type_of_number_is_read(tmp_path: Path, code: int, dtype: str) -> None:
    data = np.arange(-3, 3).reshape(2, 3).astype(dtype)
    (tmp_path / "a.idx").write_bytes(bytes([0, 0, code, 2, 0, 0, 0, 2, 0, 0, 0, 3]) + data.tobytes())
    array = read_idx(tmp_path / "a.idx", quiet)
    np.testing.assert_array_equal(array, data)
    assert array.dtype.isnative
    assert values(read(tmp_path / "a.idx"), "x2") == [-2, 1]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("change", [-1, -50, 1])
def test_that_a_length_that_differs_from_the_header_is_said(tmp_path: Path, packed: bool, change: int) -> None:
    path = write_idx(tmp_path / "a.idx", PICTURES)
    data = path.read_bytes()
    data = data[:change] if change < 0 else data + bytes(change)
    path.write_bytes(gzip.compress(data) if packed else data)
    held = "more" if packed and change > 0 else str(7 * 4 * 3 + change)
    with pytest.raises(InputError, match=rf"declares 7 × 4 × 3 values, 84 bytes, and holds {held}"):
        read(path)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (bytes([0, 0, 8, 3]), "cut off within its header"),
        (bytes([0, 0, 8, 3]) + b"\xff" * 12, "GiB of data"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 2, 5, 6]), "holds labels, not pictures"),
        (bytes([0, 0, 8, 3] + [0] * 12), "holds no examples"),
        (bytes([0, 0, 8, 3, 0, 0, 0, 2] + [0] * 8), "cannot be used"),
    ],
)
def test_that_crafted_files_are_refused(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "a.idx.gz"
    path.write_bytes(gzip.compress(data))
    with pytest.raises(InputError, match=said):
        read(path)


def test_that_a_packed_file_that_ends_early_is_said(tmp_path: Path) -> None:
    path = write_idx(tmp_path / "a.idx.gz", PICTURES)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="cut off or damaged"):
        read(path)


def test_that_another_number_of_labels_is_said(folder: Path) -> None:
    labels = write_idx(next(folder.glob("train-labels*")), LABELS[:5])
    with pytest.raises(InputError, match=r"holds 5 labels for the 7 examples of train-images") as caught:
        read(folder)
    assert caught.value.problems[0].where == str(labels)


@pytest.mark.skipif(not FASHION.exists(), reason="dataset-fashion-mnist is not installed")
def test_that_fashion_mnist_is_read() -> None:
    content = read(FASHION)
    assert content.pictures is not None
    assert content.pictures.shape == (70_000, 28, 28, 1)
    assert content.sets is not None
    assert np.bincount(content.sets + 1).tolist() == [60_000, 0, 0, 10_000]
    column = content.column("label")
    assert column is not None
    assert column.categories == tuple("0123456789")
    assert np.bincount(column.values).tolist() == [7_000] * 10
