"""Models by their name on a hub: fetched by `huggingface_hub`, pinned by `harness.lock`."""
