"""Names in weight files: layers keep theirs, save where Python, PyTorch or the file itself use it already."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterable, Iterator, Sequence

from workbench.engine.layer import OnnxNode
from workbench.engine.network import Network

NORMALIZE = "normalize"
"""The submodule that normalizes what the network reads."""

_OF_EVERY_MODULE = """
T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches eval
extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict modules mtia
named_buffers named_children named_modules named_parameters parameters register_backward_hook register_buffer
register_forward_hook register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook
register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module register_parameter
register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory
state_dict to to_empty train training type xpu zero_grad
"""
"""What a torch.nn.Module has already, in PyTorch 2.13."""

_TAKEN = frozenset(_OF_EVERY_MODULE.split()) | {NORMALIZE, "predict"}


def renamed(names: Iterable[str], usable: Callable[[str], bool]) -> dict[str, str]:
    """Each name by what stands for it: itself where it is usable, else with ``layer_`` before it."""
    result = {}
    taken = set(names := tuple(names))
    for name in names:
        new = name
        while not usable(new) or (new != name and new in taken):
            new = f"layer_{new}"
        taken.add(new)
        result[name] = new
    return result


OUTPUTS = LOGITS, PROBABILITIES, PREDICTION = "logits", "probabilities", "prediction"
"""What the outputs of an ONNX graph are called."""


def graph_names(network: Network) -> dict[str, str]:
    """What each layer is called in an ONNX graph."""
    return renamed((node.name for node in network.nodes), lambda name: name not in OUTPUTS)


def node_names(label: str, nodes: Sequence[OnnxNode]) -> Iterator[str]:
    """What a layer's ONNX nodes are called: ``gelu_1.mul``, ``gelu_1.erf``, ``gelu_1.mul_2``...; the last as itself."""
    seen: dict[str, int] = {}
    for node in nodes[:-1]:
        op = node.op.lower()
        seen[op] = seen.get(op, 0) + 1
        yield f"{label}.{op}" if seen[op] == 1 else f"{label}.{op}_{seen[op]}"
    if nodes:
        yield label


def shown(name: str) -> str:
    """A name from a file on one line of at most 80 characters; what has no shape of its own as an escape."""
    cut = name if len(name) <= 80 else f"{name[:79]}…"
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in cut)


def module_names(network: Network) -> dict[str, str]:
    """The name of each layer's PyTorch submodule, under which its weights leave."""
    return renamed((node.name for node in network.nodes), _is_module_name)


def _is_module_name(name: str) -> bool:
    # Names that start with _ are PyTorch's own, or (with two) changed by Python within a class.
    return name not in _TAKEN and not name.startswith("_") and not keyword.iskeyword(name)
