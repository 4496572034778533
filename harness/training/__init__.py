"""Training: recipes in, candidates out; torch and its family are imported only when used."""

from harness.training.data import Conversation, Divided, divide, read_data
from harness.training.progress import OnProgress
from harness.training.recipes import load_recipe, load_tiny_recipe
from harness.training.tiny import build_base
from harness.training.train import train

__all__ = [
    "Conversation",
    "Divided",
    "OnProgress",
    "build_base",
    "divide",
    "load_recipe",
    "load_tiny_recipe",
    "read_data",
    "train",
]
