"""A module in place of cuDNN's frontend: what it takes of arguments and in which order, computed with NumPy."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

Numbers = np.ndarray[Any, Any]
_ORDER = ("new", "valid", "built", "planned", "supported", "ready")


class cudnnGraphNotSupportedError(Exception):
    """As the frontend's."""


class _Tensor:
    """As ``cudnn.tensor``."""

    def __init__(self, uid: int, **fields: Any) -> None:
        self.uid, self.is_output = uid, False
        self.dim, self.stride = fields.get("dim"), fields.get("stride")
        self.data_type = fields.get("data_type")

    def get_uid(self) -> int:
        return self.uid

    def set_output(self, value: bool) -> _Tensor:
        self.is_output = value
        return self

    def set_data_type(self, data_type: Any) -> _Tensor:
        self.data_type = data_type
        return self

    def set_dim(self, dim: list[int]) -> _Tensor:
        self.dim = dim
        return self

    def set_stride(self, stride: list[int]) -> _Tensor:
        self.stride = stride
        return self

    def view(self, address: int) -> Numbers:
        """The values there, channels first, as it describes them."""
        assert type(address) is int
        assert address % 16 == 0, "cuDNN takes operands for aligned"
        assert self.dim
        assert self.stride
        count = 1 + sum((size - 1) * step for size, step in zip(self.dim, self.stride, strict=True))
        flat = np.frombuffer((ctypes.c_float * count).from_address(address), np.float32)
        return np.lib.stride_tricks.as_strided(flat, self.dim, [4 * step for step in self.stride])


class Library:
    """What the module was asked for.

    Attributes:
        built, executed: duties in order.
        refuses: a duty for which there is no plan.
        spoils: whether results are a little wrong.
        seconds: of a run, by the name of what runs; for trials.
    """

    def __init__(self, machine: Any) -> None:
        self.machine = machine
        self.built: list[str] = []
        self.executed: list[str] = []
        self.refuses = ""
        self.spoils = False


class _Graph:
    def __init__(self, library: Library, *, name: str, io_data_type: Any, intermediate_data_type: Any,
                 compute_data_type: Any, handle: Any) -> None:  # fmt: skip
        assert (io_data_type, intermediate_data_type, compute_data_type) == ("FLOAT",) * 3
        self._library, self._handle, self._state, self._count = library, handle, "new", 0
        self._duty, self._operands, self._fields = "", list[_Tensor](), dict[str, Any]()

    def tensor(self, *, name: str, dim: list[int], stride: list[int], data_type: Any) -> _Tensor:
        return self._made(dim=dim, stride=stride, data_type=data_type)

    def _made(self, **fields: Any) -> _Tensor:
        self._count += 1
        return _Tensor(self._count, **fields)

    def conv_fprop(self, *, image: _Tensor, weight: _Tensor, **fields: Any) -> _Tensor:
        return self._operation("forward", image, weight, fields)

    def conv_dgrad(self, *, loss: _Tensor, filter: _Tensor, **fields: Any) -> _Tensor:
        return self._operation("input_gradient", loss, filter, fields)

    def conv_wgrad(self, *, image: _Tensor, loss: _Tensor, **fields: Any) -> _Tensor:
        return self._operation("weight_gradient", image, loss, fields)

    def _operation(self, duty: str, first: _Tensor, second: _Tensor, fields: dict[str, Any]) -> _Tensor:
        assert set(fields) == {"pre_padding", "post_padding", "stride", "dilation", "compute_data_type"}
        assert not self._duty
        self._duty, self._fields = duty, fields
        self._operands = [first, second, self._made()]
        return self._operands[2]

    def _step(self, before: str, after: str) -> None:
        assert self._state == before, f"a graph that is {self._state} cannot become {after}"
        self._state = after

    def validate(self) -> None:
        self._step("new", "valid")
        assert self._operands[2].is_output
        for tensor in self._operands:
            assert len(tensor.dim or ()) == len(tensor.stride or ()) == 4
            assert tensor.data_type == "FLOAT"

    def build_operation_graph(self) -> None:
        self._step("valid", "built")

    def create_execution_plans(self, heuristics: list[str]) -> None:
        assert heuristics == ["A", "FALLBACK"]
        self._step("built", "planned")

    def deselect_numeric_notes(self, notes: list[str]) -> _Graph:
        assert self._state == "planned"
        assert "NONDETERMINISTIC" in notes
        self.rounds = "TENSOR_CORE" not in notes
        return self

    def deselect_workspace_greater_than(self, workspace_limit: int) -> _Graph:
        assert self._state == "planned"
        return self

    def check_support(self) -> None:
        self._step("planned", "supported")
        if self._library.refuses == self._duty:
            raise cudnnGraphNotSupportedError("No valid engine configs")

    def build_plans(self, policy: str) -> None:
        assert policy == "HEURISTICS_CHOICE"
        self._step("supported", "ready")
        self._library.built.append(self._duty)

    def get_workspace_size(self) -> int:
        assert self._state == "ready"
        return 100

    def execute(self, tensor_dict: dict[int, int], workspace: int, *, handle: Any) -> None:
        assert self._state == "ready"
        assert handle is self._handle
        assert type(workspace) is int
        machine = self._library.machine
        assert handle.stream == machine.current.ptr, "the handle is on another stream than CuPy"
        run = partial(self._run, dict(tensor_dict), workspace)
        if machine.capturing:
            machine.capturing.kept.append(run)
        else:
            run()

    def _run(self, addresses: dict[int, int], workspace: int) -> None:
        self._library.executed.append(self._duty)
        ctypes.memset(workspace, 0xA5, 100)
        first, second, result = (tensor.view(addresses[tensor.uid]) for tensor in self._operands)
        parts = {"forward": (first, second, result), "input_gradient": (result, second, first)}
        image, weight, loss = parts.get(self._duty, (first, result, second))
        found = _convolved(self._duty, image, weight, loss, self._fields)
        result[...] = found * (1.01 if self._library.spoils else 1.0)


def _convolved(duty: str, image: Numbers, weight: Numbers, loss: Numbers, fields: dict[str, Any]) -> Numbers:
    """One of the three from the other two, in float64, tap by tap; channels first."""
    (top, left), (bottom, right) = fields["pre_padding"], fields["post_padding"]
    (down, across), (tall, wide) = fields["stride"], fields["dilation"]
    groups = image.shape[1] // weight.shape[1]
    around = ((0, 0), (0, 0), (top, bottom), (left, right))
    padded = np.pad(np.zeros(image.shape) if duty == "input_gradient" else image.astype(np.float64), around)
    total = {"forward": np.zeros(loss.shape), "input_gradient": padded}.get(duty, np.zeros(weight.shape))
    rows, columns = loss.shape[2:]
    share, depth = weight.shape[0] // groups, weight.shape[1]
    for group in range(groups):
        made, read = slice(group * share, (group + 1) * share), slice(group * depth, (group + 1) * depth)
        for r in range(weight.shape[2]):
            for c in range(weight.shape[3]):
                place = (slice(None), read, slice(r * tall, r * tall + (rows - 1) * down + 1, down),
                         slice(c * wide, c * wide + (columns - 1) * across + 1, across))  # fmt: skip
                if duty == "forward":
                    total[:, made] += np.einsum("nchw,kc->nkhw", padded[place], weight[made, :, r, c])
                elif duty == "input_gradient":
                    total[place] += np.einsum("nkhw,kc->nchw", loss[:, made], weight[made, :, r, c])
                else:
                    total[made, :, r, c] = np.einsum("nkhw,nchw->kc", loss[:, made], padded[place])
    if duty == "input_gradient":
        return total[:, :, top : top + image.shape[2], left : left + image.shape[3]]
    return total


def install_cudnn(monkeypatch: pytest.MonkeyPatch, machine: Any, quick: bool = True) -> Library:
    """Put the module in its place.

    Args:
        monkeypatch: for as long as a test lasts.
        machine: of the stand-in for CuPy.
        quick: whether it wins each trial.
    """
    library, cudnn = Library(machine), ModuleType("cudnn")
    members: dict[str, Any] = {
        "backend_version_string": lambda: "9.28.1",
        "create_handle": lambda: SimpleNamespace(stream=0),
        "set_stream": _set_stream,
        "pygraph": partial(_Graph, library),
        "data_type": SimpleNamespace(FLOAT="FLOAT"),
        "heur_mode": SimpleNamespace(A="A", FALLBACK="FALLBACK"),
        "numerical_note": SimpleNamespace(
            NONDETERMINISTIC="NONDETERMINISTIC", TENSOR_CORE="TENSOR_CORE", DOWN_CONVERT_INPUTS="DOWN_CONVERT_INPUTS",
            REDUCED_PRECISION_REDUCTION="REDUCED_PRECISION_REDUCTION",
        ),
        "build_plan_policy": SimpleNamespace(HEURISTICS_CHOICE="HEURISTICS_CHOICE"),
        "cudnnGraphNotSupportedError": cudnnGraphNotSupportedError,
    }  # fmt: skip
    for name, member in members.items():
        setattr(cudnn, name, member)
    monkeypatch.setitem(__import__("sys").modules, "cudnn", cudnn)
    # A device that is none has no times of its own: the trial's first is cuDNN.
    times = iter([1.0, 2.0] * 1000 if quick else [2.0, 1.0] * 1000)

    def seconds(self: Any, run: Callable[[], None], count: int = 5, times_of: int = 3) -> float:
        run()
        return next(times)

    monkeypatch.setattr("workbench.engine.cuda.cudnn.Cudnn.seconds", seconds)
    return library


def _set_stream(*, handle: Any, stream: int) -> None:
    handle.stream = stream
