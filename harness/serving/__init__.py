"""A managed vLLM process: command line, start, health, supervision, stop; LoRA adapters."""
