"""A release gate for fine-tuned chatbots."""
