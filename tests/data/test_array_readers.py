"""NumPy's files: what the arrays' names mean, and what is refused before it takes memory."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.datasets import load_digits
from support.data_rig import read, values

from workbench.data.npformat import load_npy, load_npz
from workbench.errors import InputError

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (12, 5, 4), np.uint8)


def saved(path: Path, **named: Any) -> Path:
    np.savez_compressed(path / "d.npz", **named)
    return path / "d.npz"


def npy(shape: str, descr: str = "'<f8'", body: bytes = b"", length: int | None = None) -> bytes:
    """A crafted .npy."""
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) if length is None else length) + text + body


def test_that_rows_and_labels_become_columns(tmp_path: Path) -> None:
    x = RNG.normal(size=(4, 2))
    path = saved(tmp_path, X=x, y=np.array([1, 0, 1, 1]), feature_names=np.array(["height", "weight"]))
    content = read(path)
    assert content.names == ("height", "weight", "y")
    np.testing.assert_array_equal([values(content, "height"), values(content, "weight")], x.T)
    assert values(content, "y") == [1, 0, 1, 1]
    assert content.label == "y"


def test_that_target_names_name_the_classes(tmp_path: Path) -> None:
    path = saved(tmp_path, data=np.ones((3, 2)), target=[1, 0, 1], target_names=np.array(["benign", "malignant"]))
    assert values(read(path), "target") == ["malignant", "benign", "malignant"]


@pytest.mark.parametrize("labels", [np.array(["a", "", "b"]), np.array([b"a", b"", b"b"])])
def test_that_texts_are_labels_and_empty_ones_missing(tmp_path: Path, labels: np.ndarray[Any, Any]) -> None:
    assert values(read(saved(tmp_path, x=np.ones((3, 2)), y=labels)), "y") == ["a", None, "b"]


def test_that_one_column_a_class_becomes_class_numbers(tmp_path: Path) -> None:
    content = read(saved(tmp_path, x=np.ones((3, 2)), y=np.eye(3)[[2, 0, 1]]))
    assert values(content, "y") == [2, 0, 1]


def test_that_train_and_test_arrays_keep_their_sets(tmp_path: Path) -> None:
    path = saved(
        tmp_path, x_test=PICTURES[:3], y_test=np.arange(3), x_train=PICTURES[3:], y_train=np.arange(9) % 3,
    )  # fmt: skip
    content = read(path)
    assert content.pictures is not None
    np.testing.assert_array_equal(content.pictures[..., 0], np.concatenate([PICTURES[3:], PICTURES[:3]]))
    assert content.sets is not None
    assert content.sets.tolist() == [-1] * 9 + [2] * 3
    assert values(content, "y") == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]


def test_that_names_may_put_the_set_first_and_have_a_validation_set(tmp_path: Path) -> None:
    named = {f"{name}_images": PICTURES[:n] for name, n in (("train", 5), ("val", 2), ("test", 3))}
    labels = {f"{name}_labels": np.zeros((n, 1)) for name, n in (("train", 5), ("val", 2), ("test", 3))}
    content = read(saved(tmp_path, **named, **labels))
    assert content.sets is not None
    assert content.sets.tolist() == [-1] * 5 + [1] * 2 + [2] * 3
    assert content.label == "labels"


def test_that_scikit_learns_digits_are_read_as_pictures(tmp_path: Path) -> None:
    digits = load_digits()
    path = saved(
        tmp_path, data=digits.data, images=digits.images, target=digits.target, target_names=digits.target_names
    )
    content = read(path)
    assert content.pictures is not None
    assert content.pictures.shape == (1797, 8, 8, 1)
    assert content.label == "target"


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((6, 5, 4), (6, 5, 4, 1)), ((6, 5, 4, 3), (6, 5, 4, 3)), ((6, 3, 5, 7), (6, 5, 7, 3)),
        ((6, 3, 5, 4), (6, 3, 5, 4)), ((6, 3, 3, 3), (6, 3, 3, 3)), ((6, 1, 8, 8), (6, 8, 8, 1)),
    ],
)  # fmt: skip
def test_that_pictures_end_with_their_channels_last(
    tmp_path: Path, shape: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    data = RNG.integers(0, 256, shape, np.uint8)
    content = read(saved(tmp_path, x=data))
    assert content.pictures is not None
    assert content.pictures.shape == expected
    first = data[0].reshape(-1) if len(shape) == 3 or expected == shape else data[0].transpose(1, 2, 0).reshape(-1)
    np.testing.assert_array_equal(content.pictures[0].reshape(-1), first)


def test_that_whole_numbers_up_to_255_become_bytes_and_others_32_bit_floats(tmp_path: Path) -> None:
    for data, dtype in (
        (PICTURES.astype(np.int64), np.uint8),
        (PICTURES * 2.5, np.float32),
        (PICTURES - 5.0, np.float32),
    ):
        content = read(saved(tmp_path, images=data))
        assert content.pictures is not None
        assert content.pictures.dtype == dtype
        np.testing.assert_array_equal(content.pictures[..., 0], data.astype(dtype))


def test_that_arrays_without_known_names_are_told_by_their_axes(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", PICTURES, np.arange(12) % 2)
    content = read(tmp_path / "d.npz")
    assert content.pictures is not None
    assert values(content, "label") == [0, 1] * 6


def test_that_arrays_of_one_axis_are_columns_by_name(tmp_path: Path) -> None:
    content = read(
        saved(tmp_path, age=np.arange(3), city=np.array(["x", "y", "x"]), label=np.array([True, False, True]))
    )
    assert content.names == ("age", "city", "label")
    assert values(content, "label") == ["True", "False", "True"]
    assert content.label == "label"


def test_that_an_npy_finds_its_labels_where_they_are_named(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.asfortranarray(RNG.normal(size=(4, 3))))
    np.save(tmp_path / "y.npy", np.arange(4))
    content = read(tmp_path / "x.npy", labels=str(tmp_path / "y.npy"))
    np.testing.assert_array_equal(values(content, "x2"), np.load(tmp_path / "x.npy")[:, 1])
    assert values(content, "label") == [0, 1, 2, 3]


@pytest.mark.parametrize("key", ["x", "y"])
def test_that_pickled_objects_are_named_and_never_opened(tmp_path: Path, key: str) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "sprung",))

    plain = {"x": np.ones((2, 2)), "y": np.arange(2)}
    np.savez(tmp_path / "d.npz", **{**plain, key: np.array([Trap(), Trap()], dtype=object)})
    with pytest.raises(InputError, match=rf"holds pickled Python objects \('{key}'\), which are never unpickled"):
        read(tmp_path / "d.npz")
    assert not (tmp_path / "sprung").exists()


def test_that_pickled_objects_beside_the_data_do_no_harm(tmp_path: Path) -> None:
    path = saved(tmp_path, x=np.ones((2, 2)), y=np.arange(2), history=np.array([{}], dtype=object))
    assert read(path).rows == 2


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"x": np.ones((3, 2)), "y": np.arange(4)}, r"'x' has 3 examples and 'y' 4 labels"),
        ({"x": np.ones((0, 2))}, "holds no examples"),
        ({"x": np.ones((3, 0))}, "holds no examples"),
        ({"x": np.ones((2, 2), complex)}, "only numbers and texts are read"),
        ({"x": np.array([["a", "b"]])}, "texts where numbers are needed"),
        ({"x": np.ones((2, 2, 2, 2, 2))}, "has 5 axes"),
        ({"a": np.ones((2, 2)), "b": np.ones((2, 3))}, r"cannot tell the examples.*Call the examples x"),
        ({"x": np.ones((2, 2)), "y": np.ones((2, 3))}, "labels have one"),
        ({"x": np.array([[1.0, np.inf]])}, "infinite or far too large numbers in row 1"),
        ({"x": np.full((2, 3, 3), np.nan)}, "pictures in rows 1, 2 hold values that are missing"),
        ({"x_train": PICTURES, "x_test": PICTURES[:, 1:]}, "different shapes"),
    ],
)
def test_that_arrays_that_make_no_examples_are_refused(tmp_path: Path, named: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(saved(tmp_path, **named))


@pytest.mark.parametrize(
    "data",
    [
        npy("(100000000000, 1000)"),
        npy("(10,)", body=b"12345678"),
        npy("(-1,)"),
        npy("(1, 1, 1, 1, 1, 1, 1, 1, 1, 1)", body=b"12345678"),
        npy("(99999999999999999999,)"),
        npy("(1099511627776,)", "'<U0'"),
        npy("(2,)", "'no such type'"),
        npy("(2,)", length=60_000),
        npy("(" * 3000),
        npy("(2,)")[:9],
        b"\x93NUMPY\x09\x00" + bytes(20),
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff",
        b"\x93NUMPY",
    ],
)
def test_that_crafted_headers_are_refused_before_memory_is_taken(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "d.npy"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"d\.npy: "):
        read(path)


def test_that_an_archive_that_unpacks_to_far_more_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "d.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        body = io.BytesIO()
        np.save(body, np.zeros(0, np.uint8))
        with archive.open("x.npy", "w", force_zip64=True) as member:
            member.write(npy(f"({2**20}, 300)", "'|u1'"))
            for _ in range(300):
                member.write(bytes(2**20))
    with pytest.raises(InputError, match=r"would unpack from .* MiB to 300 MiB, which looks like a trap"):
        read(tmp_path / "d.npz")


def test_that_a_member_of_another_length_than_its_header_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as archive:
        archive.writestr("x.npy", npy("(1000000, 1000000)", body=bytes(80)))
    with pytest.raises(InputError, match=r"'x' declares 8,000,000,000,000 bytes and holds 80"):
        read(tmp_path / "d.npz")


def test_that_two_arrays_of_one_name_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as archive:
        archive.writestr("x.npy", npy("(1, 1)", body=bytes(8)))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("x.npy", npy("(1, 1)", body=bytes(8)))
    with pytest.raises(InputError, match="two arrays of one name"):
        read(tmp_path / "d.npz")


SHAPES = arrays.array_shapes(min_dims=1, max_dims=4, max_side=5)
DTYPES = arrays.integer_dtypes() | arrays.floating_dtypes(endianness="?") | arrays.boolean_dtypes()


@given(arrays.arrays(DTYPES, SHAPES), st.booleans())
def test_that_what_numpy_writes_comes_back(tmp_path_factory: pytest.TempPathFactory, array: Any, fortran: bool) -> None:
    folder = tmp_path_factory.mktemp("npy")
    array = np.asfortranarray(array) if fortran else array
    np.save(folder / "a.npy", array)
    np.savez(folder / "a.npz", first=array, other=array.T)
    for read_back in (load_npy(folder / "a.npy"), load_npz(folder / "a.npz", lambda headers: {"first"})["first"]):
        np.testing.assert_array_equal(read_back, array)
        assert read_back.dtype == array.dtype.newbyteorder("=")
