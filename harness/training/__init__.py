"""Training: recipes in, candidates out; torch and its family are imported only when used."""

from harness.training.candidate import load_recipe
from harness.training.data_files import Conversation, read_data
from harness.training.job import Divided, divide
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
