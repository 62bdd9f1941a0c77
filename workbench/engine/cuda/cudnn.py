"""Convolutions by cuDNN where it is installed, through NVIDIA's frontend: a graph for each shape, built once.

Only graphs that give the same sums each time are asked for, and in float32 none that rounds factors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from workbench.engine.backend import Array
from workbench.engine.cuda.calls import LibraryCall
from workbench.engine.cuda.choices import Choices

Duty = Literal["forward", "input_gradient", "weight_gradient"]

_MOST_WORKSPACE = 2**28
"""Bytes."""
_INSTALL = "pip install nvidia-cudnn-frontend nvidia-cudnn-cu13"


@dataclass(frozen=True)
class Sizes:
    """A convolution over pictures ``(examples, height, width, channels)``; pairs are down and across.

    Its filters are ``(filters, height, width, channels / groups)``.
    """

    examples: int
    picture: tuple[int, int]
    channels: int
    output: tuple[int, int]
    filters: int
    window: tuple[int, int]
    groups: int
    before: tuple[int, int]
    after: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]


class Graph:
    """One operation, ready to run.

    Attributes:
        workspace: bytes that it needs.
    """

    def __init__(self, graph: Any, handle: Any, uids: Sequence[int]) -> None:
        self._graph, self._handle, self._uids = graph, handle, list(uids)
        self.workspace = int(graph.get_workspace_size())

    def run(self, addresses: Sequence[int], workspace: int) -> None:
        """Start it on the handle's stream: two operands, then the result."""
        pack = dict(zip(self._uids, addresses, strict=True))
        self._graph.execute(pack, workspace, handle=self._handle)


class Cudnn:
    """The library on a device.

    Args:
        cupy: the module.
        device: in words, for what is remembered of trials.

    Attributes:
        version: of cuDNN.
        choices: what trials found.

    Raises:
        Exception: whatever the library says.
    """

    def __init__(self, cupy: Any, device: str) -> None:
        import cudnn

        self._cudnn, self._cupy, self.device = cudnn, cupy, device
        self.version = str(cudnn.backend_version_string())
        self._handle = cudnn.create_handle()
        self._graphs: dict[tuple[Duty, Sizes, bool], Graph] = {}
        self.choices = Choices("convolutions.json")

    def graph(self, duty: Duty, sizes: Sizes, rounds: bool) -> Graph:
        """The graph for what is to be done.

        Args:
            duty: what.
            sizes: of the convolution.
            rounds: whether factors may be rounded to TF32.

        Raises:
            Exception: the library has none.
        """
        key = duty, sizes, rounds
        if key not in self._graphs:
            self._graphs[key] = self._built(*key)
        return self._graphs[key]

    def _built(self, duty: Duty, sizes: Sizes, rounds: bool) -> Graph:
        cudnn, real = self._cudnn, self._cudnn.data_type.FLOAT
        graph = cudnn.pygraph(
            name=f"workbench_{duty}", io_data_type=real, intermediate_data_type=real, compute_data_type=real,
            handle=self._handle,
        )  # fmt: skip
        shapes = {"image": _picture(sizes.examples, sizes.channels, sizes.picture)}
        shapes["loss"] = _picture(sizes.examples, sizes.filters, sizes.output)
        shapes["filter"] = _picture(sizes.filters, sizes.channels // sizes.groups, sizes.window)
        names = {"forward": ("image", "filter", "loss"), "input_gradient": ("loss", "filter", "image")}.get(
            duty, ("image", "loss", "filter")
        )
        first, second = (graph.tensor(name=name, data_type=real, **shapes[name]) for name in names[:2])
        how = {
            "pre_padding": list(sizes.before), "post_padding": list(sizes.after), "stride": list(sizes.stride),
            "dilation": list(sizes.dilation), "compute_data_type": real,
        }  # fmt: skip
        if duty == "forward":
            result = graph.conv_fprop(image=first, weight=second, **how)
        elif duty == "input_gradient":
            result = graph.conv_dgrad(loss=first, filter=second, **how)
        else:
            result = graph.conv_wgrad(image=first, loss=second, **how)
        shape = shapes[names[2]]
        result.set_output(True).set_data_type(real).set_dim(shape["dim"]).set_stride(shape["stride"])
        self._plan(graph, rounds)
        return Graph(graph, self._handle, [tensor.get_uid() for tensor in (first, second, result)])

    def _plan(self, graph: Any, rounds: bool) -> None:
        cudnn, notes = self._cudnn, self._cudnn.numerical_note
        graph.validate()
        graph.build_operation_graph()
        graph.create_execution_plans([cudnn.heur_mode.A, cudnn.heur_mode.FALLBACK])
        coarse = [notes.TENSOR_CORE, notes.DOWN_CONVERT_INPUTS, notes.REDUCED_PRECISION_REDUCTION]
        graph.deselect_numeric_notes([notes.NONDETERMINISTIC, *([] if rounds else coarse)])
        graph.deselect_workspace_greater_than(_MOST_WORKSPACE)
        graph.check_support()
        graph.build_plans(cudnn.build_plan_policy.HEURISTICS_CHOICE)

    def call(self, duty: Duty, graph: Graph, arrays: Sequence[Array], workspace: Array) -> LibraryCall:
        """What runs a graph on arrays, on the calling thread's current stream.

        Args:
            duty, graph: of ``graph``.
            arrays: two operands and the result.
            workspace: uint8, at least as many as the graph needs.
        """
        addresses, room = [int(array.data.ptr) for array in arrays], int(workspace.data.ptr)
        set_stream, handle, stream = self._cudnn.set_stream, self._handle, self._cupy.cuda.get_current_stream

        def run() -> None:
            set_stream(handle=handle, stream=stream().ptr)
            graph.run(addresses, room)

        return LibraryCall(f"cudnn_{duty}", run, (*arrays, workspace))

    def seconds(self, run: Any, count: int = 5, times: int = 3) -> float:
        """The least time that a call takes on the device, of a few turns."""
        event, found = self._cupy.cuda.Event, []
        for _ in range(times):
            begin, end = event(), event()
            begin.record()
            for _ in range(count):
                run()
            end.record()
            end.synchronize()
            found.append(float(self._cupy.cuda.get_elapsed_time(begin, end)) / 1000 / count)
        return min(found)


def open_cudnn(cupy: Any, device: str) -> tuple[Cudnn | None, str]:
    """cuDNN on the current device; None where it cannot be used, and in words what is used for convolutions."""
    own = "kernels of our own"
    try:
        found = Cudnn(cupy, device)
    except ImportError:
        return None, f"{own}; cuDNN, which may be quicker, is not installed ({_INSTALL})"
    except Exception as error:  # What is missing or does not fit together shows in many ways; it can be done without.
        why = str(error).strip().partition("\n")[0] or type(error).__name__
        return None, f"{own}; cuDNN cannot be used here ({why})"
    return found, f"{own}, or cuDNN {found.version} where it was quicker in a trial on the device"


def _picture(count: int, channels: int, size: tuple[int, int]) -> dict[str, list[int]]:
    """Channels last, as cuDNN describes it: the order of its axes is another one than that of memory."""
    height, width = size
    stride = [height * width * channels, 1, width * channels, channels]
    return {"dim": [count, channels, height, width], "stride": stride}
