"""Training: recipes in, candidates out; torch and its family are imported only when used."""

from harness.training.candidate import load_recipe
from harness.training.job import Conversation, Divided, divide, read_data
from harness.training.libraries import OnProgress
from harness.training.train import train

__all__ = [
    "Conversation",
    "Divided",
    "OnProgress",
    "divide",
    "load_recipe",
    "read_data",
    "train",
]
