"""A release gate for fine-tuned chatbots."""

__version__ = "0.1.0"
