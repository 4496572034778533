"""The demo's base model, made from nothing: synthetic conversations, tokenizer, pre-training."""

from .build import build_base
from .recipe import TinyRecipe, load_recipe

__all__ = ["TinyRecipe", "build_base", "load_recipe"]
