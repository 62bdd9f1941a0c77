"""What a layer and a loss are to the engine: shapes, parameters and two lists of calls on given buffers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from workbench.engine.backend import Array, Backend, Call, Shape
from workbench.engine.initializers import Initializer
from workbench.recipe.kinds import LayerSpec, LossSpec
from workbench.recipe.tasks import Task

if TYPE_CHECKING:
    from workbench.engine.cuda.calls import Launcher

_MOST_VALUES = 2**30
"""Of an array that CUDA kernels are given: they count in 32 bits."""


class ShapeError(ValueError):
    """A layer does not fit what it reads; the message says why, in the words of the layer's own fields."""


@dataclass(frozen=True)
class Parameter:
    """One array that a layer owns.

    Attributes:
        name: ``weight``, ``bias``, ``running_mean``...
        shape: as the engine stores it (pictures are channels-last).
        initializer: how it starts.
        fan_in, fan_out: how many values an output sums over, and how many outputs an input feeds; for the initializer.
        decays: whether L2 and weight decay act on it (weights: yes; biases and norm scales: no).
        axes: the transposition to the ecosystem's layout, e.g. ``(0, 3, 1, 2)`` for a convolution's weights; empty
            where they agree.
    """

    name: str
    shape: Shape
    initializer: Initializer
    fan_in: int = 1
    fan_out: int = 1
    decays: bool = False
    axes: tuple[int, ...] = ()


@dataclass
class Clock:
    """Which step is being computed; layers that draw random numbers read it at each call."""

    seed: int = 0
    epoch: int = 0
    step: int = 0


class Meeting(Protocol):
    """Where the shards of a batch exchange sums, in an order that does not depend on timing."""

    def total(self, shard: int, values: Array) -> Array:
        """The sum of all shards' ``values`` (same shape); each shard must call it the same number of times."""
        ...


@dataclass
class Site:
    """What a layer is given to compute with, for one shard of a batch and one number of rows.

    All arrays are views on buffers that stay where they are: a layer binds them once and its calls only read and write.

    Attributes:
        backend: where to compute; ``site.xp`` is its array module.
        training: whether this is a training step (dropout on, batch statistics) or inference.
        inputs: what the layer reads, each ``(rows, *shape)``.
        output: what it must fill, ``(rows, *shape)``.
        d_inputs: what ``backward`` must fill, the loss's gradient by each input; None where nobody needs it.
        d_output: the loss's gradient by the output; None in inference. ``backward`` may overwrite it.
        weights: the layer's parameters by name.
        gradients: what ``backward`` must fill, by name; empty for a frozen layer and in inference.
        state: what is kept between steps without being trained (running statistics), by name.
        clock: the current step.
        key: seeds the layer's random numbers, together with the clock.
        first_row: the shard's first row within the whole batch.
        batch_rows: the rows of the whole batch.
        shard: the shard's number.
        meet: makes a ``Meeting`` for the layer, for kernels a ``SlotMeeting``; None where the batch is in one piece.
        taken_over: whether the layer before does nothing and leaves its work to this one: ``inputs`` is what that layer
            reads, ``d_inputs`` the gradient by it.
        absorbs: whether the layer after does nothing and leaves its work to this one: ``output`` is what that layer
            gives, ``d_output`` the gradient by it.
        adds: whether ``backward`` is to add to what lies in the first of ``d_inputs``: others read that output too.
    """

    backend: Backend
    training: bool
    inputs: list[Array]
    output: Array
    d_inputs: list[Array | None]
    d_output: Array
    weights: dict[str, Array]
    gradients: dict[str, Array]
    state: dict[str, Array]
    clock: Clock
    key: str
    first_row: int
    batch_rows: int
    shard: int
    meet: Callable[[], Any] | None
    buffer: Callable[[str, Shape, Any], Array] = field(repr=False, default=None)  # type: ignore[assignment]
    """``buffer(name, shape, dtype)``: memory of the layer's own on this shard; equal names share it, contents last
    from ``forward`` to ``backward``."""
    taken_over: bool = False
    absorbs: bool = False
    adds: bool = False

    @property
    def xp(self) -> Any:
        """The backend's array module."""
        return self.backend.xp

    @property
    def compiled(self) -> bool:
        """Whether kernels may be bound: they know float32 on a CPU only."""
        return self.backend.compiled and self.output.dtype == np.float32

    @property
    def cuda(self) -> Launcher | None:
        """What starts CUDA kernels; None where there are none: on a CPU, and in another precision than float32."""
        return _cuda_of(self.backend, *self.inputs, self.output)

    @property
    def rows(self) -> int:
        """The rows of this shard."""
        return int(self.output.shape[0])

    def like(self, name: str, array: Array, dtype: Any = None) -> Array:
        """A buffer of an array's shape."""
        return self.buffer(name, tuple(array.shape), dtype or array.dtype)


@dataclass(frozen=True)
class FlatPart:
    """Where a function hardly passes a gradient, told by its output: at or below ``low``, at or above ``high``.

    With a lower end only, units that stay there are dead; with both, units are saturated.
    """

    low: float
    high: float | None = None


@dataclass(frozen=True)
class SharedGradient:
    """A parameter's gradient that all threads work out together once the batch has gone through all layers.

    Each takes some rows of the parameter, for the whole batch: no shard then needs a gradient of its own, which for a
    large dense layer would cost more than the products.

    Attributes:
        parameter: its name.
        call: given the first of some rows, their part of the gradient ``(rows, size)``, and whether to add to it: the
            call for this shard's examples.
    """

    parameter: str
    call: Callable[[int, Array, bool], Call]


@dataclass(frozen=True)
class Calls:
    """What a layer does in a step.

    Attributes:
        forward: fills the output.
        backward: fills the gradients; not called where nothing before the layer or in it is trained.
        start: done in Python at the start of a step, before all layers: what depends on which step it is.
        shared: gradients that ``backward`` leaves to all threads together; compiled backends only.
        turn: what ``backward`` needs made of the weights alone. All layers' are done before any goes backward, so that
            nothing keeps its examples from going through several layers while they are in the cache.
    """

    forward: Call
    backward: Call
    start: Call | None = None
    shared: tuple[SharedGradient, ...] = ()
    turn: Call | None = None


def _cuda_of(backend: Backend, *arrays: Array) -> Launcher | None:
    fits = all(array.dtype == np.float32 and prod(array.shape) <= _MOST_VALUES for array in arrays)
    return backend.cuda if fits else None


class Chain:
    """Calls one after the other, as one call; a plan takes it apart to join its parts with those of other layers."""

    def __init__(self, *calls: Call) -> None:
        self.calls = calls

    def __call__(self) -> None:
        for call in self.calls:
            call()


def unchained(calls: Iterable[Call]) -> Iterator[Call]:
    """The calls with all chains taken apart."""
    for call in calls:
        if isinstance(call, Chain):
            yield from unchained(call.calls)
        else:
            yield call


class Layer(LayerSpec):
    """A kind of layer. Subclasses are final and stand in ``workbench.layers``, a family a file."""

    most_inputs: ClassVar[int] = 1
    """How many inputs it takes at most."""
    least_inputs: ClassVar[int] = 1
    output_is_free: ClassVar[bool] = False
    """Whether its backward pass never looks at its output, so that the next layer may write its own over it."""
    passes_gradient: ClassVar[bool] = False
    """Whether the gradient by an input is the one by its output, so that compiled they may share memory: ``backward``
    then leaves out an input whose ``d_inputs`` is ``d_output`` itself."""
    adds_gradient: ClassVar[bool] = False
    """Whether, compiled, ``backward`` can add the gradient by its first input to what lies there (``Site.adds``)."""
    keeps_gradient: ClassVar[bool] = False
    """Whether, compiled, ``backward`` leaves ``d_output`` as it is, so that others may read it afterwards."""
    has_kernels: ClassVar[bool] = True
    """False for a kind that computes with arrays alone, on a CPU and on a GPU: slower, and enough to begin with."""
    role: ClassVar[str] = "shape"
    """What it is for, which gives its color in a diagram: weights, norm, activation, shape, regularization, merge."""

    @abstractmethod
    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        """The shape of the output without the batch axis.

        Raises:
            ShapeError: the layer does not fit its inputs.
        """

    def parameters(self, inputs: Sequence[Shape]) -> tuple[Parameter, ...]:
        """What is trained."""
        return ()

    def state(self, inputs: Sequence[Shape]) -> tuple[Parameter, ...]:
        """What is kept between steps without being trained."""
        return ()

    @abstractmethod
    def compile(self, site: Site) -> Calls:
        """Bind the buffers and return what to do in a step."""

    def flat_part(self) -> FlatPart | None:
        """Where its output tells that hardly any gradient passes; None where it has no such part."""
        return None

    def overwrites(self) -> bool:
        """Whether it may write its output over its input: its backward pass never looks at the input."""
        return False

    def takes_over(self, before: Layer) -> bool:
        """Whether, compiled, it can do the work of a layer before it along with its own (see ``Site.taken_over``)."""
        return False

    def absorbs(self, after: Layer) -> bool:
        """Whether, compiled, it can do the work of a layer after it along with its own (see ``Site.absorbs``)."""
        return False

    def multiply_adds(self, inputs: Sequence[Shape]) -> int:
        """Multiplications with addition for one example."""
        return 0

    def summary(self) -> str:
        """Its main fields in a few words, for a table: ``32 filters · 3×3 · same``."""
        return ""

    @abstractmethod
    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        """Its ONNX nodes, pictures channels-first as ONNX has them. The last node's output is the layer's."""

    @abstractmethod
    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        """Its PyTorch source, pictures channels-first."""


@dataclass(frozen=True)
class OnnxNode:
    """One ONNX node of a layer.

    Attributes:
        op: the operator.
        inputs: ``"0"``, ``"1"``: the layer's inputs; ``"-1"``: the node before, ``"-1:1"``: its second output; empty:
            an optional input that is left out; anything else: a parameter or constant of the layer by name.
        attributes: the operator's attributes.
        constants: arrays used as inputs, by name; kept as int64 where they are whole numbers, else as float32.
        derived: more such arrays, each made of the layer's parameters by name, these in the ecosystem's layout.
        outputs: how many outputs it has; of the last node the first is the layer's.
    """

    op: str
    inputs: tuple[str, ...] = ("0",)
    attributes: dict[str, Any] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)
    derived: dict[str, Callable[[Mapping[str, Any]], Any]] = field(default_factory=dict)
    outputs: int = 1


@dataclass(frozen=True)
class TorchModule:
    """PyTorch source of a layer.

    Attributes:
        module: the expression that makes its submodule, ``nn.Linear(30, 64)``; empty where it needs none.
        call: the expression of its output; ``{self}`` is the submodule, ``{0}``, ``{1}`` the inputs, ``{all}`` all of
            them.
        helper: source of a class that ``module`` needs, where PyTorch has none that fits; written once for all layers.
    """

    module: str = ""
    call: str = "{self}({0})"
    helper: str = ""


@dataclass
class LossSite:
    """What a loss is given, for one shard.

    Attributes:
        logits: the network's output, ``(rows, K)``.
        d_logits: to be filled with the gradient of ``scale * sum_i s_i L_i``; None in inference.
        targets: class numbers, int64 ``(rows,)``; labels, 1 or 0 and below 0 where unknown, or values, both
            ``(rows, K)``.
        strengths: s_i, ``(rows,)``.
        scale: array of one element: 1 / sum of s_i over the whole batch.
        sums: to be filled: sum of s_i L_i, and for classification the number of wrong rows, for several labels the
            sum of each row's share of wrong ones among those that are known, for regression the sum of squared
            differences averaged over the outputs.
        buffer: as in ``Site``.
    """

    backend: Backend
    logits: Array
    d_logits: Array | None
    targets: Array
    strengths: Array
    scale: Array
    sums: Array
    buffer: Callable[[str, Shape, Any], Array]

    @property
    def compiled(self) -> bool:
        """Whether kernels may be bound: they know float32 on a CPU only."""
        return self.backend.compiled and self.logits.dtype == np.float32

    @property
    def cuda(self) -> Launcher | None:
        """What starts CUDA kernels; None where there are none: on a CPU, and in another precision than float32."""
        return _cuda_of(self.backend, self.logits)

    @property
    def kernels(self) -> bool:
        """Whether kernels may be bound, of a CPU or of a GPU."""
        return self.compiled or self.cuda is not None


class Loss(LossSpec):
    """A kind of loss. Subclasses are final and stand in ``workbench.training.losses``."""

    task: ClassVar[Task] = "classification"
    """The task it is for."""

    @abstractmethod
    def outputs(self, classes: int) -> int:
        """How many outputs the network needs: for ``classes`` classes or labels, or for that many target columns.

        Raises:
            ShapeError: the loss does not suit that many.
        """

    @abstractmethod
    def compile(self, site: LossSite) -> Call:
        """Bind the buffers and return the call that fills ``sums`` and, in training, ``d_logits``."""

    @abstractmethod
    def predict(self, xp: Any, logits: Array) -> Array:
        """Probabilities ``(rows, classes)``, of labels each one's own, or for regression the values as they are."""

    @abstractmethod
    def onnx_prediction(self) -> Sequence[OnnxNode]:
        """The nodes from the logits to the probabilities; none for regression."""

    @abstractmethod
    def torch_prediction(self) -> str:
        """The same as a PyTorch expression of ``logits``; empty for regression."""
