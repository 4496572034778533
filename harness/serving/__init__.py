"""A managed vLLM process: start, health, identity, supervision, stop."""
