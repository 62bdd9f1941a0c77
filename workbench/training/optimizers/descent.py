"""Gradient descent: plain, with momentum, with Nesterov's momentum."""

from __future__ import annotations

from typing import Any

from workbench.engine.backend import Array, Backend
from workbench.recipe.fields import knob
from workbench.training.optimizers.base import Decaying


class SGD(Decaying):
    """``w := w - alpha g``."""

    kind = "sgd"
    title = "SGD"
    about = "Plain gradient descent on mini-batches."
    kernel = "sgd_update"

    learning_rate: float = knob(0.01, help="The size of a step (alpha). Change it by factors.", gt=0, le=1e9, log=True)

    def update(
        self, backend: Backend, values: Array, gradient: Array, state: dict[str, Array], rate: float, step: Any
    ) -> None:
        xp = backend.xp
        xp.multiply(gradient, values.dtype.type(rate), out=gradient)
        xp.subtract(values, gradient, out=values)

    def kernel_numbers(self, rate: float, step: int) -> tuple[float, ...]:
        return (rate,)


class Momentum(Decaying):
    """``v := beta v + (1 - dampening) g``, ``w := w - alpha v``.

    Without dampening this is PyTorch's form. With ``dampening = beta`` it is the lecture's,
    ``v := beta v + (1 - beta) g``, whose steps are 1 / (1 - beta) times shorter at the same alpha.
    """

    kind = "momentum"
    about = "Gradients averaged over steps: oscillations cancel, a steady direction speeds up."
    vectors = ("velocity",)
    kernel = "momentum_update"

    learning_rate: float = knob(0.01, help="The size of a step (alpha). Change it by factors.", gt=0, le=1e9, log=True)
    beta: float = knob(
        0.9, help="How much of the velocity is kept: averages over about 1 / (1 - beta) steps.", ge=0, lt=1
    )
    dampening: float = knob(
        0.0,
        help="What new gradients are weakened by; equal to beta it is the lecture's form.",
        ge=0,
        lt=1,
        advanced=True,
    )

    def update(
        self, backend: Backend, values: Array, gradient: Array, state: dict[str, Array], rate: float, step: Any
    ) -> None:
        xp, number, velocity = backend.xp, values.dtype.type, state["velocity"]
        xp.multiply(velocity, number(self.beta), out=velocity)
        # PyTorch's first velocity is the gradient itself; from v = 0 both forms then differ by the dampening only.
        if self.dampening:
            xp.multiply(gradient, number(1.0 - self.dampening), out=gradient)
        xp.add(velocity, gradient, out=velocity)
        xp.multiply(velocity, number(rate), out=gradient)
        xp.subtract(values, gradient, out=values)

    def kernel_numbers(self, rate: float, step: int) -> tuple[float, ...]:
        return self.beta, 1.0 - self.dampening, rate, 0.0


class Nesterov(Decaying):
    """``v := beta v + g``, ``w := w - alpha (g + beta v)`` (Sutskever et al., ICML 2013, in PyTorch's form)."""

    kind = "nesterov"
    title = "Nesterov momentum"
    about = "Momentum that looks one step ahead."
    vectors = ("velocity",)
    kernel = "momentum_update"

    learning_rate: float = knob(0.01, help="The size of a step (alpha). Change it by factors.", gt=0, le=1e9, log=True)
    beta: float = knob(0.9, help="How much of the velocity is kept.", ge=0, lt=1)

    def update(
        self, backend: Backend, values: Array, gradient: Array, state: dict[str, Array], rate: float, step: Any
    ) -> None:
        xp, number, velocity = backend.xp, values.dtype.type, state["velocity"]
        xp.multiply(velocity, number(self.beta), out=velocity)
        xp.add(velocity, gradient, out=velocity)
        xp.multiply(gradient, number(rate), out=gradient)
        xp.subtract(values, gradient, out=values)
        xp.multiply(velocity, number(rate * self.beta), out=gradient)
        xp.subtract(values, gradient, out=values)

    def kernel_numbers(self, rate: float, step: int) -> tuple[float, ...]:
        return self.beta, 1.0, rate * self.beta, rate
