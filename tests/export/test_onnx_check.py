"""The check that an exported model passes before it is offered as good."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from support.exports import Exported
from support.networks import network_of

from workbench.export.onnx_check import check_onnx
from workbench.export.onnx_graph import export_onnx

LAYERS = [
    {"kind": "conv2d", "filters": 2},
    {"kind": "batch_norm"},
    {"kind": "activation", "function": "gelu"},
    {"kind": "max_pool2d"},
    {"kind": "flatten"},
    {"kind": "dense", "units": "classes"},
]


@pytest.fixture(scope="module")
def model() -> Exported:
    return Exported(network_of(LAYERS, (5, 4, 2)))


@pytest.fixture(scope="module")
def data(model: Exported) -> bytes:
    return export_onnx(*model.parts(), model.loss, {})


def test_that_a_sound_model_passes_with_the_difference_that_was_found(model: Exported, data: bytes) -> None:
    report = check_onnx(data, model.first, model.expected())
    assert report.passed
    assert 0 <= report.difference < 1e-5
    assert report.problem == ""


@pytest.mark.parametrize("output", ["logits", "probabilities"])
def test_that_other_numbers_do_not_pass(model: Exported, data: bytes, output: str) -> None:
    expected = model.expected()
    expected[output] = expected[output].copy()
    expected[output][2, 1] += 1e-3 * np.abs(expected[output]).max()
    report = check_onnx(data, model.first, expected)
    assert not report.passed
    assert report.difference == pytest.approx(1e-3, rel=0.02)
    assert report.problem == f"gives '{output}' with differences of 1.0e-03 of its largest value"


def test_that_the_tolerance_can_be_widened(model: Exported, data: bytes) -> None:
    expected = {"logits": model.logits * 1.001}
    assert not check_onnx(data, model.first, expected).passed
    assert check_onnx(data, model.first, expected, tolerance=0.01).passed


def test_that_numbers_that_are_not_finite_never_pass(model: Exported, data: bytes) -> None:
    for odd in (np.nan, np.inf):
        report = check_onnx(data, model.first, {"logits": np.full_like(model.logits, odd)})
        assert not report.passed
        assert "not finite" in report.problem


def test_that_a_missing_output_or_another_shape_is_told(model: Exported, data: bytes) -> None:
    assert check_onnx(data, model.first, {"prediction": model.logits}).problem == "has no output 'prediction'"
    report = check_onnx(data, model.first, {"logits": model.logits[:, :2]})
    assert report.problem == "gives 'logits' in the shape (5, 3), not (5, 2)"


def test_that_inputs_that_do_not_fit_are_told(model: Exported, data: bytes) -> None:
    report = check_onnx(data, model.inputs, model.expected())
    assert not report.passed
    assert report.problem.startswith("could not be run: ")
    assert "\n" not in report.problem


@pytest.mark.parametrize("broken", [b"", b"no model", b"\x00" * 100])
def test_that_a_broken_file_is_told(model: Exported, broken: bytes) -> None:
    report = check_onnx(broken, model.first, model.expected())
    assert not report.passed
    assert report.problem.startswith("is no valid ONNX model: ")
    assert report.engine == ""


def test_that_a_cut_off_file_does_not_pass(model: Exported, data: bytes) -> None:
    for length in range(0, len(data), 97):
        assert not check_onnx(data[:length], model.first, model.expected()).passed


def test_that_without_onnxruntime_the_reference_is_used_and_said(
    model: Exported, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What `import onnxruntime` meets where it is not installed.
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    report = check_onnx(data, model.first, model.expected())
    assert report.passed, report.problem
    assert report.engine.endswith("reference (onnxruntime is not installed)")
