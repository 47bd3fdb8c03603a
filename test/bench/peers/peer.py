"""What a peer is: something that has loaded its model and labels a list of texts."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class PeerSettings:
    """The same for all peers of a bench."""

    checkpoint: str
    graph: str
    """The ONNX graph that export_onnx.py made of the checkpoint."""
    threads: int
    batch_size: int
    max_length: int
    """Tokens of a text, special ones included."""


@dataclass(frozen=True)
class Peer:
    label: Callable[[list[str]], list[int]]
    """Texts to their labels, numbers in the checkpoint's order. This is what is timed."""
    notes: dict[str, str] = field(default_factory=dict)
    """What it runs with, for the record."""
