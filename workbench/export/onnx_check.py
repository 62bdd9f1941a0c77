"""Whether an exported ONNX model is sound and computes what the workbench computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.recipe.network import INPUT

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class CheckReport:
    """What the check found.

    Attributes:
        passed: whether the model is sound and all differences are within the tolerance.
        difference: the largest difference of an output, relative to that output's largest value.
        engine: what it was run in, such as ``onnxruntime 1.32.0``; empty where it did not come to that.
        problem: why it did not pass; empty where it did.
    """

    passed: bool
    difference: float
    engine: str
    problem: str = ""


def check_onnx(
    model: bytes, inputs: Array, expected: Mapping[str, Array], tolerance: float | Mapping[str, float] = 1e-5
) -> CheckReport:
    """Check a model by the rules of ONNX, run it, and compare.

    It is run in onnxruntime, or where that is missing in ONNX's own slow reference, which the report then names.

    Args:
        model: the file.
        inputs: examples as the model reads them, float32 ``(N, F)``, ``(N, F, T)`` or ``(N, C, H, W)``.
        expected: what the outputs should be, by name.
        tolerance: the largest relative difference that counts as rounding; one for all outputs, or by name.
    """
    try:
        _check_rules(model)
    except Exception as error:  # whatever the checker says of a broken file is the finding
        return CheckReport(False, np.inf, "", f"is no valid ONNX model: {_first_line(error)}")
    try:
        outputs, engine = _run(model, np.ascontiguousarray(inputs, np.float32))
    except Exception as error:
        return CheckReport(False, np.inf, "", f"could not be run: {_first_line(error)}")
    difference, problem = 0.0, ""
    for name, values in expected.items():
        worse = _difference(outputs.get(name), values)
        allowed = tolerance if isinstance(tolerance, float) else tolerance[name]
        if worse > allowed and (worse > difference or not problem):
            problem = _told(name, worse, outputs.get(name), values)
        difference = max(difference, worse)
    return CheckReport(not problem, difference, engine, problem)


def _check_rules(model: bytes) -> None:
    import onnx

    onnx.checker.check_model(onnx.load_model_from_string(model), full_check=True)


def _run(model: bytes, inputs: Array) -> tuple[dict[str, Array], str]:
    try:
        import onnxruntime
    except ImportError:
        return _run_in_reference(model, inputs)
    options = onnxruntime.SessionOptions()
    # Beside a training run one thread is plenty, and warnings on stderr would reach the user's terminal.
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    outputs = dict(zip(names, session.run(names, {INPUT: inputs}), strict=True))
    return outputs, f"onnxruntime {onnxruntime.__version__}"


def _run_in_reference(model: bytes, inputs: Array) -> tuple[dict[str, Array], str]:
    import onnx
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(onnx.load_model_from_string(model))
    outputs = dict(zip(evaluator.output_names, evaluator.run(None, {INPUT: inputs}), strict=True))
    return outputs, f"onnx {onnx.__version__} reference (onnxruntime is not installed)"


def _difference(found: Array | None, expected: Array) -> float:
    if found is None or found.shape != expected.shape:
        return float(np.inf)
    worst = float(np.abs(found.astype(np.float64) - expected).max(initial=0.0))
    scale = float(np.abs(expected).max(initial=0.0))
    if worst == 0:
        return 0.0
    # A number that is not finite, on either side, is never equal enough.
    return worst / scale if np.isfinite(worst) and scale > 0 else float(np.inf)


def _told(name: str, difference: float, found: Array | None, expected: Array) -> str:
    if found is None:
        return f"has no output {name!r}"
    if found.shape != expected.shape:
        return f"gives {name!r} in the shape {found.shape}, not {expected.shape}"
    if not np.isfinite(difference):
        return f"gives {name!r} with numbers that are not finite, or not where they should be 0"
    return f"gives {name!r} with differences of {difference:.1e} of its largest value"


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:300] if text else type(error).__name__
