"""Self-attention: each step of a sequence reads all others (Vaswani et al., Attention is all you need, 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from workbench.engine.backend import Array, Shape
from workbench.engine.initializers import ZEROS, Initializer, InitializerName, Stacked
from workbench.engine.layer import Calls, Layer, OnnxNode, Parameter, ShapeError, Site, TorchModule
from workbench.engine.random import key_of, uniform
from workbench.layers import attention_cuda
from workbench.recipe.fields import knob

_TORCH_CLASS = '''
class SelfAttention(nn.MultiheadAttention):
    """Sequences (N, C, T) that attend to themselves; causal: to no later steps."""

    def __init__(
        self,
        features: int,
        heads: int,
        causal: bool = False,
        dropout: float = 0.0,
        bias: bool = True,
    ) -> None:
        super().__init__(features, heads, dropout=dropout, bias=bias, batch_first=True)
        self.causal = causal

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x, mask = x.transpose(1, 2), None
        if self.causal:
            mask = torch.ones(x.shape[1], x.shape[1], device=x.device).triu(1).bool()
        x = super().forward(x, x, x, attn_mask=mask, need_weights=False)[0]
        return x.transpose(1, 2)
'''

_TORCH_CLASS_OF_A_SIZE = '''
class SizedSelfAttention(nn.Module):
    """Sequences (N, C, T) that attend to themselves, with heads of any size."""

    def __init__(
        self,
        features: int,
        heads: int,
        size: int,
        causal: bool = False,
        dropout: float = 0.0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.heads, self.causal, self.dropout = heads, causal, dropout
        inner = heads * size
        self.in_proj_weight = nn.Parameter(torch.empty(3 * inner, features))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * inner)) if bias else None
        self.out_proj = nn.Linear(inner, features, bias=bias)
        nn.init.xavier_uniform_(self.in_proj_weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.linear(x.transpose(1, 2), self.in_proj_weight, self.in_proj_bias)
        q, k, v = x.unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        dropout = self.dropout if self.training else 0.0
        x = F.scaled_dot_product_attention(
            q, k, v, dropout_p=dropout, is_causal=self.causal
        )
        return self.out_proj(x.transpose(1, 2).flatten(2)).transpose(1, 2)
'''


class SelfAttention(Layer):
    """``softmax(Q K' / sqrt(D)) V`` in several heads of D features, which a last product puts together.

    Reads and gives ``(steps, features)``. Parameters are named and laid out as in PyTorch's MultiheadAttention:
    ``in_proj_weight`` ``(3 * heads * D, features)`` for queries, keys and values, ``in_proj_bias``,
    ``out_proj.weight`` ``(features, heads * D)``, ``out_proj.bias``.
    """

    kind = "self_attention"
    stem = "attention"
    title = "self-attention"
    about = "Lets every step of a sequence read all others, however far away; best with a way around it and a norm."
    role = "weights"
    output_is_free = True

    heads: int = knob(4, help="How many ways of reading there are; they share the features out.", ge=1, le=4096)
    head_size: int | None = knob(
        None, help="Features of each head's queries, keys and values.", ge=1, le=65_536, placeholder="features / heads",
        advanced=True,
    )  # fmt: skip
    causal: bool = knob(False, help="Read no later steps: for predicting what comes next.")
    dropout: float = knob(0.0, help="The share of attention that is dropped in training.", ge=0, lt=1, unit="fraction")
    bias: bool = knob(True, help="Add trained constants.")
    initializer: InitializerName = knob("glorot_uniform", help="How the weights start.")
    constant: float = knob(0.0, help="The value that `constant` fills in.", advanced=True)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        (shape,) = inputs
        if len(shape) != 2:
            given = " × ".join(map(str, shape)) if len(shape) > 1 else f"a vector of {shape[0]}"
            raise ShapeError(f"reads a sequence of steps × features, not {given}; put reshape before it")
        if self.head_size is None and shape[1] % self.heads:
            raise ShapeError(
                f"cannot share {shape[1]} features out to {self.heads} heads evenly: change heads, or set head_size"
            )
        return shape

    def _depth(self, features: int) -> int:
        """Features of a head."""
        return self.head_size or features // self.heads

    def parameters(self, inputs: Sequence[Shape]) -> tuple[Parameter, ...]:
        features = inputs[0][1]
        start = Initializer(self.initializer, self.constant)
        # Queries, keys and values are matrices of their own: their fans are not those of the whole.
        three = Stacked([start] * 3)
        inner = self.heads * self._depth(features)
        weights = (
            Parameter("in_proj_weight", (3 * inner, features), three, features, inner, decays=True),
            Parameter("out_proj.weight", (features, inner), start, inner, features, decays=True),
        )
        biases = (Parameter("in_proj_bias", (3 * inner,), ZEROS), Parameter("out_proj.bias", (features,), ZEROS))
        return (*weights, *biases) if self.bias else weights

    def compile(self, site: Site) -> Calls:
        depth = self._depth(site.inputs[0].shape[2])
        dropout = self.dropout if site.training else 0.0
        if site.compiled:
            from workbench.layers.attention_compiled import compiled_attention

            return compiled_attention(site, self.heads, depth, self.causal, dropout)
        if site.cuda and attention_cuda.fits(site, self.heads):
            return attention_cuda.attention_on_cuda(site, self.heads, depth, self.causal, dropout)
        attention = _Attention(site, self.heads, depth, self.causal, dropout)
        return Calls(attention.forward, attention.backward)

    def multiply_adds(self, inputs: Sequence[Shape]) -> int:
        steps, features = inputs[0]
        inner = self.heads * self._depth(features)
        return 4 * steps * features * inner + 2 * steps * steps * inner

    def summary(self) -> str:
        words = [f"{self.heads} heads" if self.heads > 1 else "1 head"]
        words[0] += f" of {self.head_size}" if self.head_size else ""
        words += ["causal"] if self.causal else []
        words += [f"dropout {self.dropout:.0%}"] if self.dropout else []
        return " · ".join(words)

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        steps, depth = inputs[0][0], self._depth(inputs[0][1])
        apart = {"shape": np.array([-1, steps, self.heads, depth])}
        together = {"shape": np.array([-1, steps, self.heads * depth])}
        scale = {"scale": np.array(depth**-0.5, np.float32)}
        swap, heads_first, keys = {"perm": [0, 2, 1]}, {"perm": [0, 2, 1, 3]}, {"perm": [0, 2, 3, 1]}
        mask = [OnnxNode("Add", ("-1", "mask"), constants={"mask": _mask(steps)})] if self.causal else []
        return [
            OnnxNode("Transpose", attributes=swap),
            *self._onnx_product("in_proj_weight", "in_proj_bias"),
            OnnxNode("Split", ("-1",), {"axis": 2}, outputs=3),
            OnnxNode("Reshape", ("-1", "shape"), constants=apart),
            OnnxNode("Transpose", ("-1",), heads_first),
            OnnxNode("Reshape", ("-3:1", "shape"), constants=apart),
            OnnxNode("Transpose", ("-1",), keys),
            OnnxNode("Reshape", ("-5:2", "shape"), constants=apart),
            OnnxNode("Transpose", ("-1",), heads_first),
            OnnxNode("MatMul", ("-5", "-3")),
            OnnxNode("Mul", ("-1", "scale"), constants=scale),
            *mask,
            OnnxNode("Softmax", ("-1",), {"axis": -1}),
            OnnxNode("MatMul", ("-1", f"-{4 + len(mask)}")),
            OnnxNode("Transpose", ("-1",), heads_first),
            OnnxNode("Reshape", ("-1", "shape"), constants=together),
            *self._onnx_product("out_proj.weight", "out_proj.bias"),
            OnnxNode("Transpose", ("-1",), swap),
        ]

    def _onnx_product(self, weight: str, bias: str) -> list[OnnxNode]:
        # MatMul has no transposed form.
        product = OnnxNode("MatMul", ("-1", "weight"), derived={"weight": lambda numbers: numbers[weight].T})
        return [product, OnnxNode("Add", ("-1", bias))] if self.bias else [product]

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        features, inner = inputs[0][1], self.heads * self._depth(inputs[0][1])
        options = [f"{features}, {self.heads}"]
        options += [] if inner == features else [f"{self.head_size}"]
        options += ["causal=True"] if self.causal else []
        options += [f"dropout={self.dropout!r}"] if self.dropout else []
        options += [] if self.bias else ["bias=False"]
        name, helper = ("SelfAttention", _TORCH_CLASS)
        if inner != features:
            name, helper = "SizedSelfAttention", _TORCH_CLASS_OF_A_SIZE
        return TorchModule(f"{name}({', '.join(options)})", helper=helper)


def _mask(steps: int) -> Array:
    """What is added to the scores ``(steps, steps)`` so that no step reads a later one."""
    return np.triu(np.full((steps, steps), -np.inf, np.float32), 1)


class _Attention:
    """The buffers of one shard. Heads stand beside each other in memory; views turn them to the front."""

    def __init__(self, site: Site, heads: int, depth: int, causal: bool, dropout: float) -> None:
        self.site, self.xp, self.matmul, self.dropout = site, site.xp, site.backend.matmul, dropout
        x, dtype = site.inputs[0], site.output.dtype
        rows, self.steps, self.features = x.shape
        self.heads, self.depth = heads, depth
        self.scale = dtype.type(self.depth**-0.5)
        self.x, self.y = x.reshape(-1, self.features), site.output.reshape(-1, self.features)
        self.projected = site.buffer("projected", (rows * self.steps, 3 * heads * depth), dtype)
        self.queries, self.keys, self.values = self._three(self.projected)
        self.context = site.buffer("context", (rows * self.steps, heads * depth), dtype)
        square = (rows, heads, self.steps, self.steps)
        self.weights = site.buffer("weights", square, dtype)
        self.edge = site.buffer("edge", (*square[:3], 1), dtype)
        self.mask = site.backend.asarray(_mask(self.steps), dtype) if causal else None
        self.used = site.buffer("used", square, dtype) if dropout else self.weights
        self.keep = site.buffer("keep", square, dtype) if dropout else None
        if site.training and site.d_output is not None:
            self._bind_backward()

    def _bind_backward(self) -> None:
        site = self.site
        self.dy = site.d_output.reshape(-1, self.features)
        self.d_context, self.product = site.like("d_context", self.context), site.like("product", self.context)
        self.d_projected, self.d_weights = site.like("d_projected", self.projected), site.like("d_weights", self.used)
        self.ones = self.xp.ones(self.dy.shape[0], self.dy.dtype)

    def _heads(self, array: Array) -> Array:
        """``(rows * steps, heads * depth)`` as ``(rows, heads, steps, depth)``, a view."""
        return array.reshape(-1, self.steps, self.heads, self.depth).transpose(0, 2, 1, 3)

    def _three(self, array: Array) -> Array:
        """``(rows * steps, 3 * heads * depth)`` as three views of heads."""
        return array.reshape(-1, self.steps, 3, self.heads, self.depth).transpose(2, 0, 3, 1, 4)

    def forward(self) -> None:
        """Fill the output."""
        xp, weights = self.xp, self.site.weights
        self._multiply(self.x, weights["in_proj_weight"], weights.get("in_proj_bias"), self.projected)
        xp.multiply(self.queries, self.scale, out=self.queries)
        self.matmul(self.queries, self.keys.swapaxes(2, 3), out=self.weights)
        if self.mask is not None:
            xp.add(self.weights, self.mask, out=self.weights)
        self._softmax()
        if self.keep is not None:
            self._drop()
        self.matmul(self.used, self.values, out=self._heads(self.context))
        self._multiply(self.context, weights["out_proj.weight"], weights.get("out_proj.bias"), self.y)

    def _multiply(self, x: Array, weight: Array, bias: Array | None, out: Array) -> None:
        self.matmul(x, weight.T, out=out)
        if bias is not None:
            self.xp.add(out, bias, out=out)

    def _softmax(self) -> None:
        xp, weights, edge = self.xp, self.weights, self.edge
        # Less their largest, so that no exponential overflows.
        xp.max(weights, axis=3, keepdims=True, out=edge)
        xp.subtract(weights, edge, out=weights)
        xp.exp(weights, out=weights)
        xp.sum(weights, axis=3, keepdims=True, out=edge)
        xp.divide(weights, edge, out=weights)

    def _drop(self) -> None:
        xp, site, clock = self.xp, self.site, self.site.clock
        size = prod(self.weights.shape[1:])
        stride = size + size % 2  # random numbers come in pairs: each row starts at a pair
        key = key_of(clock.seed, "dropout", site.key, clock.step)
        draws = uniform(xp, key, site.first_row * stride, site.rows * stride)
        drawn = draws.reshape(site.rows, stride)[:, :size].reshape(self.weights.shape)
        xp.greater_equal(drawn, np.float32(self.dropout), out=self.keep)
        xp.multiply(self.keep, self.weights.dtype.type(1.0 / (1.0 - self.dropout)), out=self.keep)
        xp.multiply(self.weights, self.keep, out=self.used)

    def backward(self) -> None:
        """Fill the gradients."""
        xp, weights, gradients = self.xp, self.site.weights, self.site.gradients
        self.matmul(self.dy, weights["out_proj.weight"], out=self.d_context)
        self._attention_backward()
        if gradients:
            self.matmul(self.dy.T, self.context, out=gradients["out_proj.weight"])
            self.matmul(self.d_projected.T, self.x, out=gradients["in_proj_weight"])
        if "in_proj_bias" in gradients:
            xp.matmul(self.ones, self.dy, out=gradients["out_proj.bias"])
            xp.matmul(self.ones, self.d_projected, out=gradients["in_proj_bias"])
        dx = self.site.d_inputs[0]
        if dx is not None:
            self.matmul(self.d_projected, weights["in_proj_weight"], out=dx.reshape(self.x.shape))

    def _attention_backward(self) -> None:
        xp, d_weights = self.xp, self.d_weights
        d_context, (d_queries, d_keys, d_values) = self._heads(self.d_context), self._three(self.d_projected)
        self.matmul(self.used.swapaxes(2, 3), d_context, out=d_values)
        self.matmul(d_context, self.values.swapaxes(2, 3), out=d_weights)
        if self.keep is not None:
            xp.multiply(d_weights, self.keep, out=d_weights)
        # The softmax's gradient is w (d - sum(w d)), and the sum is that of context times its gradient.
        xp.multiply(self.d_context, self.context, out=self.product)
        xp.sum(self._heads(self.product), axis=3, keepdims=True, out=self.edge)
        xp.subtract(d_weights, self.edge, out=d_weights)
        xp.multiply(d_weights, self.weights, out=d_weights)
        self.matmul(d_weights, self.keys, out=d_queries)
        xp.multiply(d_queries, self.scale, out=d_queries)
        self.matmul(d_weights.swapaxes(2, 3), self.queries, out=d_keys)
