"""ONNX, run and compared before it is offered."""

from __future__ import annotations

import numpy as np

from workbench.errors import RunError
from workbench.evaluation.predictor import Model
from workbench.export.formats.base import Exported, Exporter
from workbench.export.onnx_check import CheckReport, check_onnx
from workbench.export.onnx_graph import export_onnx
from workbench.export.onnx_ports import ports_of
from workbench.export.probes import Array, channels_first, expected, extreme, looked_up, typical
from workbench.export.source import ExportSource

_TOLERANCE = 1e-5
_FAR_TOLERANCE = 1e-4
"""For inputs far beyond the data: of values that are all alike, as behind a saturated function, a norm leaves nothing
but their rounding."""
_NOISE = 8.0
"""How many times our own rounding error another order of the same sums may be away."""


class Onnx(Exporter):
    """The model with its normalization as one graph."""

    kind = "onnx"
    title = "ONNX model"
    suffix = ".onnx"
    about = "One file that most programs run, as onnxruntime: raw features or pixels in, logits and probabilities out."

    def export(self, source: ExportSource) -> Exported:
        data = onnx_of(source)
        return Exported(data, checked_onnx(data, source.model), ports=ports_of(data))


def onnx_of(source: ExportSource) -> bytes:
    """The file, unchecked.

    Raises:
        InputError, StoreError: as for ``Exporter.export``.
    """
    model = source.model
    return export_onnx(model.network, model.tensors, model.encoder, model.loss, source.metadata)


def checked_onnx(data: bytes, model: Model) -> str:
    """Run an ONNX model on inputs like the training data, on extreme ones, and on a single one, and compare.

    Returns:
        What was checked and found, a clause.

    Raises:
        RunError: the file is unsound, or computes something else than the model.
    """
    likely, far = typical(model.encoder), extreme(model.encoder)
    numbers = looked_up(model.network)
    if numbers is not None:
        likely = np.concatenate([likely, numbers])
    tried = (likely, _TOLERANCE), (far, _FAR_TOLERANCE), (likely[:1], _TOLERANCE)
    reports = [_compared(data, model, inputs, tolerance) for inputs, tolerance in tried]
    worst = max(report.difference for report in reports)
    inputs = len(likely) + len(far)
    return f"{reports[0].engine} gives the same for {inputs} inputs, to {worst:.1e} of the largest value"


def _compared(data: bytes, model: Model, inputs: Array, tolerance: float) -> CheckReport:
    values, noise = expected(model, inputs)
    allowed = {name: max(tolerance, _NOISE * noise[name]) for name in values}
    report = check_onnx(data, channels_first(inputs), values, allowed)
    if not report.passed:
        raise RunError(
            f"the ONNX model did not pass its check: it {report.problem}",
            mend="Nothing was written. Export safetensors and pytorch instead.",
        )
    return report
