"""What an optimizer is: fields, names of its state vectors, and one update of flat vectors."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from workbench.engine.backend import Array, Backend
from workbench.recipe.fields import knob
from workbench.recipe.kinds import OptimizerSpec


class Optimizer(OptimizerSpec):
    """A kind of optimizer. Its update is element-wise, so it works on any piece of the flat vectors."""

    vectors: ClassVar[tuple[str, ...]] = ()
    """The state kept for each parameter, whatever its fields are."""

    def state_vectors(self) -> tuple[str, ...]:
        """The state kept for each parameter, with what its fields ask for besides ``vectors``."""
        return self.vectors

    @abstractmethod
    def update(
        self, backend: Backend, values: Array, gradient: Array, state: dict[str, Array], rate: float, step: Any
    ) -> None:
        """Take one step in place.

        Args:
            backend: where the vectors live.
            values, gradient: flat vectors of one length; the gradient may be overwritten.
            state: a vector for each of ``state_vectors``, all 0 before the first step.
            rate: the learning rate of this step.
            step: counted over the whole run from 1, for bias corrections; an array ``(1,)`` where only a device knows.
        """

    kernel: ClassVar[str] = ""
    """The compiled form of ``update`` in ``workbench.engine.kernels.updates``, given values, gradient, the state
    vectors in order, and ``kernel_numbers``; empty where there is none."""

    def kernel_name(self) -> str:
        """The kernel that does what its fields ask for; empty where there is none."""
        return self.kernel

    def has_kernel(self) -> bool:
        """Whether there is a kernel that does what its fields ask for."""
        return bool(self.kernel_name())

    def kernel_numbers(self, rate: float, step: int) -> tuple[float, ...]:
        """What its kernel needs to know of a step."""
        return ()

    counting_kernel: ClassVar[str] = ""
    """The CUDA kernel that works ``kernel_numbers`` out where only a device knows how many updates were made; empty
    where they do not depend on that."""

    counting_threads: ClassVar[int] = 1
    """Of that kernel."""

    def counting_numbers(self, rate: float) -> tuple[float, ...]:
        """What that kernel needs to know of a step."""
        return ()

    def decay(self) -> float:
        """Decoupled weight decay: the share of each weight that is taken away, times the learning rate."""
        return 0.0


class Decaying(Optimizer):
    """An optimizer with decoupled weight decay as an extra (Loshchilov and Hutter, ICLR 2019).

    Besides its update, ``w := w - alpha decoupled_weight_decay w`` for weights, not for biases or norm scales. That is
    not PyTorch's ``weight_decay`` of SGD and RMSprop, which is L2.
    """

    decoupled_weight_decay: float = knob(
        0.0,
        help="The share of each weight taken away a step, times alpha; apart from the gradient, unlike L2 and unlike"
        " PyTorch's weight_decay of SGD.",
        ge=0,
        le=100,
        log=True,
        advanced=True,
    )

    def decay(self) -> float:
        return self.decoupled_weight_decay
