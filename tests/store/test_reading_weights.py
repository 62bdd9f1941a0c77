"""Weights from files that anybody may have written: what is read, converted, and refused."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from workbench.errors import InputError
from workbench.store.files import sha256
from workbench.store.tensors import from_bytes, to_bytes
from workbench.store.weight_files import is_weight_file, read_weights

HALVES = np.array([[1.5, -2.0, 0.25], [0.0, 65504.0, -0.5]])


def _safetensors(header: str, body: bytes) -> bytes:
    return len(header).to_bytes(8, "little") + header.encode() + body


def _onnx(*initializers: TensorProto) -> bytes:
    graph = helper.make_graph([], "g", [], [], list(initializers))
    return bytes(helper.make_model(graph).SerializeToString())


def _npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _put(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def _bfloat16(values: np.ndarray[Any, Any]) -> bytes:
    return (values.astype(np.float32).view(np.uint32) >> 16).astype("<u2").tobytes()


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".onnx"])
def test_that_numbers_of_any_width_come_as_float32_with_a_note_where_they_were_converted(
    tmp_path: Path, suffix: str, dtype: Any
) -> None:
    array = HALVES.astype(dtype)
    data = {
        ".safetensors": to_bytes({"a.weight": array}, {}),
        ".npz": _npz(**{"a.weight": array}),
        ".onnx": _onnx(numpy_helper.from_array(array, "a.weight")),
    }[suffix]
    found = read_weights(_put(tmp_path, f"w{suffix}", data))
    assert found.tensors["a.weight"].dtype == np.float32
    assert np.array_equal(found.tensors["a.weight"], HALVES)
    assert found.sha256 == sha256(data)
    told = () if dtype == np.float32 else (f"1 tensor converted from {np.dtype(dtype)} to float32.",)
    assert found.notes == told


def test_that_bfloat16_is_read_from_safetensors_and_onnx(tmp_path: Path) -> None:
    values = np.array([1.5, -2.0, 0.25])
    header = '{"a":{"dtype":"BF16","shape":[3],"data_offsets":[0,6]}}'
    first = _put(tmp_path, "w.safetensors", _safetensors(header, _bfloat16(values)))
    second = _put(tmp_path, "w.onnx", _onnx(helper.make_tensor("a", TensorProto.BFLOAT16, [3], values)))
    for path in (first, second):
        found = read_weights(path)
        assert np.array_equal(found.tensors["a"], values)
        assert found.tensors["a"].dtype == np.float32
        assert found.notes == ("1 tensor converted from bfloat16 to float32.",)


def test_that_bfloat16_of_the_wrong_length_is_refused() -> None:
    header = '{"a":{"dtype":"BF16","shape":[3],"data_offsets":[0,12]}}'
    with pytest.raises(InputError, match="makes no sense"):
        from_bytes(_safetensors(header, b"\0" * 12), "w")


def test_that_texts_in_an_npz_are_passed_over_and_pickled_objects_left_alone(tmp_path: Path) -> None:
    data = _npz(a=np.ones(2, np.float32), task="classification", objects=np.array([{"x": 1}], dtype=object))
    found = read_weights(_put(tmp_path, "w.npz", data))
    assert list(found.tensors) == ["a"]
    assert found.notes == ("1 pickled object in it left alone.",)


def test_that_onnx_weights_in_another_file_are_refused_and_the_file_is_not_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(np.ones(4, np.float32).tobytes())
    for location in ("secret.bin", "../secret.bin", str(secret)):
        tensor = TensorProto(name="a", dims=[4], data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
        tensor.external_data.add(key="location", value=location)
        with pytest.raises(InputError, match="in another file, which is not opened"):
            read_weights(_put(tmp_path, "w.onnx", _onnx(tensor)))


@pytest.mark.parametrize(
    ("tensor", "text"),
    [
        (
            TensorProto(name="a", dims=[2**40] * 2, data_type=TensorProto.FLOAT, raw_data=b"\0" * 8),
            "claims the shape",
        ),
        (TensorProto(name="a", dims=[-1], data_type=TensorProto.FLOAT, raw_data=b"\0" * 8), "claims the shape"),
        (TensorProto(name="a", dims=[3], data_type=TensorProto.FLOAT, raw_data=b"\0" * 8), "makes no sense"),
        (TensorProto(name="a", dims=[3], data_type=99, raw_data=b"\0" * 12), "makes no sense"),
    ],
)
def test_that_an_onnx_tensor_that_claims_more_than_it_holds_is_refused(
    tmp_path: Path, tensor: TensorProto, text: str
) -> None:
    with pytest.raises(InputError, match=text):
        read_weights(_put(tmp_path, "w.onnx", _onnx(tensor)))


def test_that_what_steers_onnx_operators_is_no_weight(tmp_path: Path) -> None:
    weights = {"a.weight": np.ones((2, 3), np.float32), "counts": np.ones((2, 2), np.int64)}
    steering = {"a.shape": np.array([-1, 6], np.int64), "a.axis": np.array(1, np.int64), "a.scale": np.float32(0.5)}
    made = [numpy_helper.from_array(np.asarray(array), name) for name, array in {**steering, **weights}.items()]
    found = read_weights(_put(tmp_path, "w.onnx", _onnx(*made)))
    assert set(found.tensors) == set(weights)


def test_that_two_onnx_tensors_of_one_name_are_refused(tmp_path: Path) -> None:
    one = numpy_helper.from_array(np.ones(2, np.float32), "a")
    with pytest.raises(InputError, match="two of its tensors"):
        read_weights(_put(tmp_path, "w.onnx", _onnx(one, one)))


@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".onnx"])
@pytest.mark.parametrize("data", [b"", b"not weights at all", b"\xff" * 64])
def test_that_a_file_that_is_something_else_gives_one_message(tmp_path: Path, suffix: str, data: bytes) -> None:
    path = _put(tmp_path, f"w{suffix}", data)
    with pytest.raises(InputError) as raised:
        read_weights(path)
    assert str(path) in str(raised.value)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([".safetensors", ".npz", ".onnx"]), st.integers(0, 10_000), st.integers(1, 255), st.booleans())
def test_that_a_damaged_file_gives_a_typed_error_or_other_numbers_but_nothing_else(
    tmp_path: Path, suffix: str, place: int, flip: int, cut: bool
) -> None:
    array = np.arange(50, dtype=np.float32)
    made = {
        ".safetensors": to_bytes({"a": array}, {}),
        ".npz": _npz(a=array),
        ".onnx": _onnx(numpy_helper.from_array(array, "a")),
    }[suffix]
    data = bytearray(made)
    if cut:
        del data[place % len(data) :]
    else:
        data[place % len(data)] ^= flip
    numbers = 0
    try:
        numbers = sum(each.size for each in read_weights(_put(tmp_path, f"w{suffix}", bytes(data))).tensors.values())
    except InputError:
        return
    assert numbers <= 8 * len(made)


def test_that_pickled_models_and_missing_files_are_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"safetensors\.torch\.save_file"):
        read_weights(_put(tmp_path, "model.pt", b"PK"))
    with pytest.raises(InputError, match="cannot be read"):
        read_weights(tmp_path / "gone.onnx")
    with pytest.raises(InputError, match="holds no arrays of numbers"):
        read_weights(_put(tmp_path, "empty.safetensors", to_bytes({}, {})))
    assert is_weight_file(Path("a.ONNX"))
    assert not is_weight_file(Path("a.pt"))


def test_that_no_graph_is_run_and_no_operator_looked_up(tmp_path: Path) -> None:
    node = helper.make_node("NoSuchOperator", ["a"], ["b"], domain="evil.example")
    graph = helper.make_graph([node], "g", [], [], [numpy_helper.from_array(np.ones(2, np.float32), "a")])
    path = _put(tmp_path, "w.onnx", onnx.helper.make_model(graph).SerializeToString())
    assert list(read_weights(path).tensors) == ["a"]


def test_that_onnx_matrices_come_as_units_by_inputs_however_the_graph_uses_them(tmp_path: Path) -> None:
    matrix = np.arange(4, dtype=np.float32).reshape(2, 2)
    nodes = [
        helper.make_node("MatMul", ["x", "mul"], ["a"]),
        helper.make_node("Gemm", ["a", "plain"], ["b"]),
        helper.make_node("Gemm", ["b", "turned"], ["c"], transB=1),
        helper.make_node("Conv", ["c", "kernel"], ["d"]),
    ]
    named = [numpy_helper.from_array(matrix, name) for name in ("mul", "plain", "turned", "kernel")]
    path = _put(tmp_path, "w.onnx", helper.make_model(helper.make_graph(nodes, "g", [], [], named)).SerializeToString())
    found = read_weights(path).tensors
    for name, expected in (("mul", matrix.T), ("plain", matrix.T), ("turned", matrix), ("kernel", matrix)):
        np.testing.assert_array_equal(found[name], expected, err_msg=name)
