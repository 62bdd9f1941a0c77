"""Optimizers that scale each weight's step by the size of its gradients."""

from __future__ import annotations

from math import sqrt

from workbench.engine.backend import Array, Backend
from workbench.recipe.fields import knob
from workbench.training.optimizers.base import Optimizer

_EPSILON = "Added to the root, so that nothing is divided by 0."


class RMSprop(Optimizer):
    """``s := rho s + (1 - rho) g²``, ``w := w - alpha g / (sqrt(s) + epsilon)`` (Hinton's lecture 6e, 2012)."""

    kind = "rmsprop"
    title = "RMSprop"
    about = "Steps of like size in all directions, whatever the size of the gradients."
    vectors = ("squares",)

    rho: float = knob(0.9, help="How much of the mean square is kept (the lecture's beta).", ge=0, lt=1)
    epsilon: float = knob(1e-8, help=_EPSILON, gt=0, le=1, log=True, advanced=True)

    def update(
        self, backend: Backend, values: Array, gradient: Array, state: dict[str, Array], rate: float, step: int
    ) -> None:
        xp, number, squares = backend.xp, values.dtype.type, state["squares"]
        work = gradient * gradient
        xp.multiply(work, number(1.0 - self.rho), out=work)
        xp.multiply(squares, number(self.rho), out=squares)
        xp.add(squares, work, out=squares)
        xp.sqrt(squares, out=work)
        xp.add(work, number(self.epsilon), out=work)
        xp.divide(gradient, work, out=work)
        xp.multiply(work, number(rate), out=work)
        xp.subtract(values, work, out=values)


class Adam(Optimizer):
    """Momentum and RMSprop with bias correction (Kingma and Ba, ICLR 2015).

    ``v := beta1 v + (1 - beta1) g``, ``s := beta2 s + (1 - beta2) g²``,
    ``w := w - alpha (v / (1 - beta1^t)) / (sqrt(s / (1 - beta2^t)) + epsilon)``. The corrections act on copies (fed
    back, as the lecture prints them, the averages explode) and epsilon stands outside the root (inside, small
    gradients hardly move).
    """

    kind = "adam"
    title = "Adam"
    about = "A good first choice: momentum with a step size for each weight."
    vectors = ("velocity", "squares")
    kernel = "adam_update"

    beta1: float = knob(0.9, help="How much of the mean gradient is kept.", ge=0, lt=1, advanced=True)
    beta2: float = knob(0.999, help="How much of the mean square is kept.", ge=0, lt=1, advanced=True)
    epsilon: float = knob(1e-8, help=_EPSILON, gt=0, le=1, log=True, advanced=True)

    def update(
        self, backend: Backend, values: Array, gradient: Array, state: dict[str, Array], rate: float, step: int
    ) -> None:
        xp, number = backend.xp, values.dtype.type
        velocity, squares = state["velocity"], state["squares"]
        work = gradient * gradient
        xp.multiply(work, number(1.0 - self.beta2), out=work)
        xp.multiply(squares, number(self.beta2), out=squares)
        xp.add(squares, work, out=squares)
        xp.multiply(gradient, number(1.0 - self.beta1), out=gradient)
        xp.multiply(velocity, number(self.beta1), out=velocity)
        xp.add(velocity, gradient, out=velocity)
        xp.sqrt(squares, out=work)
        xp.multiply(work, number(1.0 / sqrt(1.0 - self.beta2**step)), out=work)
        xp.add(work, number(self.epsilon), out=work)
        xp.divide(velocity, work, out=work)
        xp.multiply(work, number(rate / (1.0 - self.beta1**step)), out=work)
        xp.subtract(values, work, out=values)

    def kernel_numbers(self, rate: float, step: int) -> tuple[float, ...]:
        root = 1.0 / sqrt(1.0 - self.beta2**step)
        return self.beta1, self.beta2, rate / (1.0 - self.beta1**step), root, self.epsilon


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019): besides, ``w := w - alpha weight_decay w``.

    L2 in the loss is weight decay for plain SGD only; with Adam it is divided by the gradients' size. The decay acts on
    weights, not on biases or norm scales.
    """

    kind = "adamw"
    title = "AdamW"
    about = "Adam whose weight decay acts as meant."

    weight_decay: float = knob(
        0.01, help="The share of each weight taken away a step, times alpha.", ge=0, le=100, log=True
    )

    def decay(self) -> float:
        return self.weight_decay
