"""Optimizers that scale each weight's step by the size of its gradients."""

from __future__ import annotations

from functools import lru_cache
from math import ceil, log, pow, sqrt
from typing import Any

from workbench.engine.backend import Array, Backend
from workbench.recipe.fields import knob
from workbench.training.optimizers.base import Decaying, Optimizer

_EPSILON = "Added to the root, so that nothing is divided by 0."


class RMSprop(Decaying):
    """``s := rho s + (1 - rho) g²``, ``w := w - alpha g / (sqrt(s) + epsilon)`` (Hinton's lecture 6e, 2012).

    Centered (Graves, Generating sequences with recurrent neural networks, 2013): also ``m := rho m + (1 - rho) g``, and
    ``s - m²`` under the root. With momentum, in PyTorch's form: ``v := momentum v + g / (root + epsilon)``,
    ``w := w - alpha v``.
    """

    kind = "rmsprop"
    title = "RMSprop"
    about = "Steps of like size in all directions, whatever the size of the gradients."
    vectors = ("squares",)
    kernel = "rmsprop_update"

    rho: float = knob(0.9, help="How much of the mean square is kept (the lecture's beta).", ge=0, lt=1)
    momentum: float = knob(0.0, help="How much of the steps before goes on; 0 is plain RMSprop.", ge=0, lt=1)
    centered: bool = knob(
        False,
        help="Divide by the gradients' deviation from their mean: longer steps where the gradient is steady.",
        advanced=True,
    )
    epsilon: float = knob(1e-8, help=_EPSILON, gt=0, le=1, log=True, advanced=True)

    def state_vectors(self) -> tuple[str, ...]:
        return self.vectors + ("mean",) * self.centered + ("velocity",) * bool(self.momentum)

    def update(
        self, backend: Backend, values: Array, gradient: Array, state: dict[str, Array], rate: float, step: Any
    ) -> None:
        xp, number, squares = backend.xp, values.dtype.type, state["squares"]
        work = gradient * gradient
        xp.multiply(work, number(1.0 - self.rho), out=work)
        xp.multiply(squares, number(self.rho), out=squares)
        xp.add(squares, work, out=squares)
        if self.centered:
            self._spread(xp, squares, gradient, state["mean"], out=work)
            xp.sqrt(work, out=work)
        else:
            xp.sqrt(squares, out=work)
        xp.add(work, number(self.epsilon), out=work)
        xp.divide(gradient, work, out=work)
        if self.momentum:
            velocity = state["velocity"]
            xp.multiply(velocity, number(self.momentum), out=velocity)
            xp.add(velocity, work, out=velocity)
            xp.copyto(work, velocity)
        xp.multiply(work, number(rate), out=work)
        xp.subtract(values, work, out=values)

    def _spread(self, xp: Any, squares: Array, gradient: Array, mean: Array, out: Array) -> None:
        """The gradients' variance; rounding must not put it below 0."""
        number = mean.dtype.type
        xp.multiply(gradient, number(1.0 - self.rho), out=out)
        xp.multiply(mean, number(self.rho), out=mean)
        xp.add(mean, out, out=mean)
        xp.multiply(mean, mean, out=out)
        xp.subtract(squares, out, out=out)
        xp.maximum(out, number(0.0), out=out)

    def kernel_name(self) -> str:
        return "rmsprop" + "_centered" * self.centered + "_momentum" * bool(self.momentum) + "_update"

    def kernel_numbers(self, rate: float, step: int) -> tuple[float, ...]:
        return self.rho, 1.0 - self.rho, rate, self.epsilon, self.momentum


class Adam(Optimizer):
    """Momentum and RMSprop with bias correction (Kingma and Ba, ICLR 2015).

    ``v := beta1 v + (1 - beta1) g``, ``s := beta2 s + (1 - beta2) g²``,
    ``w := w - alpha (v / (1 - beta1^t)) / (sqrt(s / (1 - beta2^t)) + epsilon)``. The corrections act on copies (fed
    back, as the lecture prints them, the averages explode) and epsilon stands outside the root. The lecture's form,
    ``sqrt(s / (1 - beta2^t) + epsilon)``, is a switch: there, gradients much smaller than sqrt(epsilon) hardly move.
    AMSGrad (Reddi, Kale and Kumar, ICLR 2018) puts the largest s so far in the place of s.
    """

    kind = "adam"
    title = "Adam"
    about = "A good first choice: momentum with a step size for each weight."
    vectors = ("velocity", "squares")
    kernel = "adam_update"
    counting_kernel = "adam_numbers"

    beta1: float = knob(0.9, help="How much of the mean gradient is kept.", ge=0, lt=1, advanced=True)
    beta2: float = knob(0.999, help="How much of the mean square is kept.", ge=0, lt=1, advanced=True)
    epsilon: float = knob(1e-8, help=_EPSILON, gt=0, le=1, log=True, advanced=True)
    epsilon_inside_root: bool = knob(
        False,
        help="The lecture's form: epsilon is added under the root. At 1e-8, weights whose gradients are below 1e-4 then"
        " move much less.",
        advanced=True,
    )
    amsgrad: bool = knob(
        False,
        help="Divide by the largest mean square so far, so that no weight's steps grow again; costs one more vector.",
        advanced=True,
    )

    def state_vectors(self) -> tuple[str, ...]:
        return self.vectors + ("largest",) * self.amsgrad

    def kernel_name(self) -> str:
        return "adam_amsgrad_update" if self.amsgrad else self.kernel

    def update(
        self, backend: Backend, values: Array, gradient: Array, state: dict[str, Array], rate: float, step: Any
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
        if self.amsgrad:
            xp.maximum(state["largest"], squares, out=state["largest"])
            squares = state["largest"]
        self._root(xp, squares, 1.0 - self.beta2**step, out=work)
        xp.divide(velocity, work, out=work)
        xp.multiply(work, _as(values.dtype, rate / (1.0 - self.beta1**step)), out=work)
        xp.subtract(values, work, out=values)

    def kernel_numbers(self, rate: float, step: int) -> tuple[float, ...]:
        known = 1.0 - self.beta2**step
        # sqrt(s / known + epsilon) = sqrt(s + epsilon known) / sqrt(known)
        outside, inside = (0.0, self.epsilon * known) if self.epsilon_inside_root else (self.epsilon, 0.0)
        return self.beta1, self.beta2, rate / (1.0 - self.beta1**step), 0.0, 1.0 / sqrt(known), outside, inside

    def counting_numbers(self, rate: float) -> tuple[float, ...]:
        return self.beta1, self.beta2, rate, self.epsilon, float(self.epsilon_inside_root)

    def _root(self, xp: Any, squares: Array, known: Any, out: Array) -> None:
        """What the velocity is divided by; ``known`` corrects the bias of ``squares``."""
        number = squares.dtype.type
        if self.epsilon_inside_root:
            xp.multiply(squares, _as(squares.dtype, 1.0 / known), out=out)
            xp.add(out, number(self.epsilon), out=out)
            xp.sqrt(out, out=out)
        else:
            xp.sqrt(squares, out=out)
            xp.multiply(out, _as(squares.dtype, 1.0 / known**0.5), out=out)
            xp.add(out, number(self.epsilon), out=out)


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


class Adagrad(Decaying):
    """``s := s + g²``, ``w := w - alpha g / (sqrt(s) + epsilon)`` (Duchi, Hazan and Singer, JMLR 2011)."""

    kind = "adagrad"
    title = "Adagrad"
    about = "Large steps for what is rarely seen; all steps become ever smaller."
    vectors = ("squares",)
    kernel = "rmsprop_update"

    learning_rate: float = knob(0.01, help="The size of a step (alpha). Change it by factors.", gt=0, le=1e9, log=True)
    epsilon: float = knob(1e-10, help=_EPSILON, gt=0, le=1, log=True, advanced=True)

    def update(
        self, backend: Backend, values: Array, gradient: Array, state: dict[str, Array], rate: float, step: Any
    ) -> None:
        xp, number, squares = backend.xp, values.dtype.type, state["squares"]
        work = gradient * gradient
        xp.add(squares, work, out=squares)
        xp.sqrt(squares, out=work)
        xp.add(work, number(self.epsilon), out=work)
        xp.divide(gradient, work, out=work)
        xp.multiply(work, number(rate), out=work)
        xp.subtract(values, work, out=values)

    def kernel_numbers(self, rate: float, step: int) -> tuple[float, ...]:
        return 1.0, 1.0, rate, self.epsilon, 0.0


class Nadam(Decaying):
    """Adam with Nesterov's momentum (Dozat, ICLR workshop 2016), in PyTorch's form.

    ``m_t = beta1 (1 - 0.96^(t momentum_decay) / 2)`` and M its product up to t; v and s as for Adam:
    ``w := w - alpha ((1 - m_t) / (1 - M_t) g + m_(t+1) / (1 - M_(t+1)) v) / (sqrt(s / (1 - beta2^t)) + epsilon)``.
    """

    kind = "nadam"
    title = "NAdam"
    about = "Adam that looks one step ahead."
    vectors = ("velocity", "squares")
    kernel = "adam_update"
    counting_kernel, counting_threads = "nadam_numbers", 256

    learning_rate: float = knob(2e-3, help="The size of a step (alpha). Change it by factors.", gt=0, le=1e9, log=True)
    beta1: float = knob(0.9, help="How much of the mean gradient is kept.", ge=0, lt=1, advanced=True)
    beta2: float = knob(0.999, help="How much of the mean square is kept.", ge=0, lt=1, advanced=True)
    epsilon: float = knob(1e-8, help=_EPSILON, gt=0, le=1, log=True, advanced=True)
    momentum_decay: float = knob(
        0.004, help="How fast the momentum rises from half of beta1 to beta1.", ge=0, le=1e3, log=True, advanced=True
    )

    def update(
        self, backend: Backend, values: Array, gradient: Array, state: dict[str, Array], rate: float, step: Any
    ) -> None:
        xp, number = backend.xp, values.dtype.type
        velocity, squares = state["velocity"], state["squares"]
        if isinstance(step, int):
            now, ahead, product = _momenta(self.beta1, self.momentum_decay, step)
        else:
            now, ahead, product = _momenta_there(xp, self.beta1, self.momentum_decay, step)
        dtype = values.dtype
        work = gradient * gradient
        xp.multiply(work, number(1.0 - self.beta2), out=work)
        xp.multiply(squares, number(self.beta2), out=squares)
        xp.add(squares, work, out=squares)
        xp.multiply(gradient, number(1.0 - self.beta1), out=work)
        xp.multiply(velocity, number(self.beta1), out=velocity)
        xp.add(velocity, work, out=velocity)
        # The direction: what is left of the gradient now, and the velocity as it will be at the next step.
        xp.multiply(gradient, _as(dtype, rate * (1.0 - now) / (1.0 - product)), out=gradient)
        xp.multiply(velocity, _as(dtype, rate * ahead / (1.0 - product * ahead)), out=work)
        xp.add(gradient, work, out=gradient)
        xp.sqrt(squares, out=work)
        xp.multiply(work, _as(dtype, 1.0 / (1.0 - self.beta2**step) ** 0.5), out=work)
        xp.add(work, number(self.epsilon), out=work)
        xp.divide(gradient, work, out=work)
        xp.subtract(values, work, out=values)

    def kernel_numbers(self, rate: float, step: int) -> tuple[float, ...]:
        now, ahead, product = _momenta(self.beta1, self.momentum_decay, step)
        by_velocity, by_gradient = rate * ahead / (1.0 - product * ahead), rate * (1.0 - now) / (1.0 - product)
        root = 1.0 / sqrt(1.0 - self.beta2**step)
        return self.beta1, self.beta2, by_velocity, by_gradient, root, self.epsilon, 0.0

    def counting_numbers(self, rate: float) -> tuple[float, ...]:
        return self.beta1, self.beta2, rate, self.epsilon, self.momentum_decay


def _as(dtype: Any, number: Any) -> Any:
    """A number as the weights have it, also where it is an array on a device."""
    return number.astype(dtype) if hasattr(number, "astype") else dtype.type(number)


@lru_cache(maxsize=16)
def _momenta(beta1: float, decay: float, step: int) -> tuple[float, float, float]:
    """NAdam's momentum of a step and of the next one, and the product of all up to the step."""

    def momentum(number: int) -> float:
        return beta1 * (1.0 - 0.5 * pow(0.96, number * decay))

    product = 1.0
    for number in range(1, step + 1):
        product *= momentum(number)
        if product < 1e-17:  # 1 - product is 1 from here on
            break
    return momentum(step), momentum(step + 1), product


def _momenta_there(xp: Any, beta1: float, decay: float, step: Array) -> tuple[Array, Array, Array]:
    """The same for a step ``(1,)`` that only a device knows."""
    # A product of that many, none of which is above beta1, is below 1e-17; beyond a million nobody waits for it.
    most = min(2**20, ceil(-40.0 / log(beta1))) if beta1 else 1
    numbers = xp.arange(1, most + 1)

    def momentum(number: Any) -> Any:
        return beta1 * (1.0 - 0.5 * 0.96 ** (number * decay))

    product = xp.where(numbers <= step, momentum(numbers), 1.0).prod()
    return momentum(step), momentum(step + 1.0), product


class Lion(Optimizer):
    """``w := w - alpha (sign(beta1 v + (1 - beta1) g) + weight_decay w)``, ``v := beta2 v + (1 - beta2) g``.

    Chen et al., NeurIPS 2023. Every weight moves by alpha: a third to a tenth of Adam's rate suits, with a decay as
    many times larger.
    """

    kind = "lion"
    about = "Steps of one size, only the sign counts; half of Adam's memory. Suits large batches."
    vectors = ("velocity",)
    kernel = "lion_update"

    learning_rate: float = knob(1e-4, help="The size of a step (alpha). Change it by factors.", gt=0, le=1e9, log=True)
    weight_decay: float = knob(
        0.0, help="The share of each weight taken away a step, times alpha.", ge=0, le=100, log=True
    )
    beta1: float = knob(0.9, help="How much of the mean gradient counts for the step.", ge=0, lt=1, advanced=True)
    beta2: float = knob(0.99, help="How much of the mean gradient is kept.", ge=0, lt=1, advanced=True)

    def update(
        self, backend: Backend, values: Array, gradient: Array, state: dict[str, Array], rate: float, step: Any
    ) -> None:
        xp, number, velocity = backend.xp, values.dtype.type, state["velocity"]
        work = velocity * number(self.beta1)
        xp.multiply(velocity, number(self.beta2), out=velocity)
        xp.add(work, gradient * number(1.0 - self.beta1), out=work)
        xp.multiply(gradient, number(1.0 - self.beta2), out=gradient)
        xp.add(velocity, gradient, out=velocity)
        xp.sign(work, out=work)
        xp.multiply(work, number(rate), out=work)
        xp.subtract(values, work, out=values)

    def kernel_numbers(self, rate: float, step: int) -> tuple[float, ...]:
        return self.beta1, self.beta2, rate

    def decay(self) -> float:
        return self.weight_decay
