"""Weights as safetensors and npz, and reading safetensors that anybody may have written."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.exports import Exported, encoder_of
from support.networks import network_of

from workbench.errors import InputError
from workbench.export.weights import read_safetensors, to_npz, to_safetensors
from workbench.store.tensors import to_bytes

LAYERS = [
    {"kind": "conv2d", "filters": 2, "name": "conv"},
    {"kind": "batch_norm", "name": "norm"},
    {"kind": "flatten"},
    {"kind": "dense", "units": "classes", "name": "end"},
]
FACTS = {"fingerprint": "abc", "name": "x"}


@pytest.fixture
def model() -> Exported:
    return Exported(network_of(LAYERS, (3, 4, 2)))


def test_that_safetensors_hold_all_numbers_in_the_ecosystems_layout(model: Exported) -> None:
    from safetensors.numpy import load

    tensors = load(to_safetensors(*model.parts(), FACTS))
    assert {name: array.shape for name, array in tensors.items()} == {
        "normalize.shift": (2, 1, 1), "normalize.scale": (2, 1, 1), "conv.weight": (2, 2, 3, 3), "conv.bias": (2,),
        "norm.weight": (2,), "norm.bias": (2,), "norm.running_mean": (2,), "norm.running_var": (2,),
        "end.weight": (3, 24), "end.bias": (3,),
    }  # fmt: skip
    for name, array in model.tensors.items():
        assert np.array_equal(tensors[name], array)
    assert np.array_equal(tensors["normalize.scale"].ravel(), model.encoder.scale)


def test_that_safetensors_say_what_they_are_of(model: Exported) -> None:
    tensors, facts = read_safetensors(to_safetensors(*model.parts(), FACTS), "m.safetensors")
    assert json.loads(facts["classes"]) == ["a", "b", "c"]
    assert json.loads(facts["features"]) == []
    assert (facts["fingerprint"], facts["task"]) == ("abc", "classification")
    assert set(model.tensors) < set(tensors)


def test_that_equal_models_give_equal_files(model: Exported) -> None:
    turned = dict(reversed(FACTS.items()))
    assert to_safetensors(*model.parts(), FACTS) == to_safetensors(*model.parts(), turned)
    assert to_npz(*model.parts(), FACTS) == to_npz(*model.parts(), turned)


def test_that_an_npz_holds_the_same_and_no_objects(model: Exported) -> None:
    with np.load(io.BytesIO(to_npz(*model.parts(), FACTS)), allow_pickle=False) as file:
        contents = {name: file[name] for name in file.files}
    tensors, _ = read_safetensors(to_safetensors(*model.parts(), FACTS), "x")
    texts = {name: contents.pop(name) for name in ("classes", "features", "fingerprint", "name", "task")}
    assert set(contents) == set(tensors)
    assert all(np.array_equal(contents[name], array) for name, array in tensors.items())
    assert texts["classes"].tolist() == ["a", "b", "c"]
    assert texts["features"].tolist() == []
    assert str(texts["fingerprint"]) == "abc"


def test_that_normalization_that_does_nothing_is_left_out() -> None:
    network = network_of([{"kind": "dense", "units": 3, "name": "end"}], (4,))
    model = Exported(network, encoder_of((4,), classes=("a", "b", "c"), identity=True))
    tensors, _ = read_safetensors(to_safetensors(*model.parts(), {}), "x")
    assert set(tensors) == {"end.weight", "end.bias"}


@pytest.mark.parametrize("write", [to_safetensors, to_npz])
def test_that_missing_weights_are_named(model: Exported, write: Any) -> None:
    del model.tensors["norm.running_var"]
    with pytest.raises(InputError, match=r"the weights hold no norm\.running_var"):
        write(*model.parts(), {})


def test_that_a_read_file_can_be_loaded_again(model: Exported) -> None:
    tensors, _ = read_safetensors(to_safetensors(*model.parts(), {}), "x")
    before = model.parameters.values.copy()
    model.parameters.values[...] = 0
    model.parameters.load(tensors)
    assert np.array_equal(model.parameters.values, before)


SMALL = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(2, np.int64)}


def _file(header: Any, body: bytes = b"\x00" * 24, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + body


def _entry(start: int, stop: int, shape: list[Any] | None = None, dtype: Any = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": [(stop - start) // 4] if shape is None else shape, "data_offsets": [start, stop]}


def _refused(data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read_safetensors(data, "odd.safetensors")
    assert str(caught.value).startswith("odd.safetensors: is no sound safetensors file")
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "cut off"),
        (b"\x01\x02", "cut off"),
        (_file({}, length=2**63), "cut off"),
        (_file(b"{" + b" " * 2**20 + b"}"), "larger than 1 MB"),
        (_file(b"[" * 1000), "no JSON"),
        (_file(b"\xff\xfe"), "no JSON"),
        (_file([]), "no table"),
        (_file({"a": _entry(0, 24), "__metadata__": {"x": 1}}), "metadata"),
        (_file({"a": _entry(0, 24), "__metadata__": []}), "metadata"),
        (_file({f"t{n}": _entry(0, 0, [0]) for n in range(10_001)}, b""), "10,001 tensors, more than 10,000"),
        (_file({"a": _entry(0, 20)}), "do not fill the file"),
        (_file({"a": _entry(4, 24)}), "gaps or overlap"),
        (_file({"a": _entry(0, 16), "b": _entry(12, 24)}), "gaps or overlap"),
        (_file({"a": _entry(0, 24), "b": _entry(0, 24)}), "gaps or overlap"),
        (_file({"a": _entry(0, 28)}), "'a' makes no sense"),
        (_file({"a": _entry(0, 24, [7])}), "'a' makes no sense"),
        (_file({"a": _entry(0, 24, [2**62, 2**62])}), "'a' makes no sense"),
        (_file({"a": _entry(0, 24, [-2, -3])}), "'a' makes no sense"),
        (_file({"a": _entry(0, 24, [6.0])}), "'a' makes no sense"),
        (_file({"a": _entry(0, 24, [True] * 6)}), "'a' makes no sense"),
        (_file({"a": _entry(0, 24, [1] * 17 + [6])}), "'a' makes no sense"),
        (_file({"a": _entry(0, 24, dtype="O")}), "'a' makes no sense"),
        (_file({"a": _entry(0, 24, dtype=["F32"])}), "'a' makes no sense"),
        (_file({"a": {"dtype": "F32", "shape": [6]}}), "'a' makes no sense"),
        (_file({"a": {"dtype": "F32", "shape": 6, "data_offsets": [0, 24]}}), "'a' makes no sense"),
        (_file({"a": {"dtype": "F32", "shape": [6], "data_offsets": [24]}}), "'a' makes no sense"),
        (_file({"a": {"dtype": "F32", "shape": [6], "data_offsets": "ab"}}), "'a' makes no sense"),
        (_file({"a": 3}), "'a' makes no sense"),
        (_file({"a": None}), "'a' makes no sense"),
    ],
)  # fmt: skip
def test_that_an_unsound_file_is_refused_by_name(data: bytes, text: str) -> None:
    assert text in _refused(data)


arrays = st.dictionaries(
    st.text(min_size=1, max_size=8).filter(lambda name: name != "__metadata__"),
    st.tuples(st.sampled_from(["<f4", "<f8", "<f2", "<i8", "<u1", "?"]), st.lists(st.integers(0, 3), max_size=3)).map(
        lambda pair: np.ones(pair[1], pair[0])
    ),
    max_size=5,
)
texts = st.dictionaries(st.text(max_size=5), st.text(max_size=9), max_size=3)


@settings(deadline=None, max_examples=150)
@given(tensors=arrays, facts=texts)
def test_that_what_is_written_comes_back_and_the_ecosystem_reads_it(
    tensors: dict[str, np.ndarray], facts: dict[str, str]
) -> None:
    from safetensors.numpy import load

    data = to_bytes(tensors, facts)
    ours, said = read_safetensors(data, "x")
    theirs = load(data)
    assert said == facts
    for read in (ours, theirs):
        assert set(read) == set(tensors)
        for name, array in tensors.items():
            assert (read[name].dtype, read[name].shape) == (array.dtype, array.shape)
            assert np.array_equal(read[name], array)


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_that_a_damaged_file_is_read_or_refused_but_never_breaks(data: st.DataObject) -> None:
    whole = bytearray(to_bytes(SMALL, {"x": "y"}))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    try:
        tensors, _ = read_safetensors(cut, "odd")
    except InputError:
        tensors = {}
    assert sum(array.nbytes for array in tensors.values()) <= len(cut)
