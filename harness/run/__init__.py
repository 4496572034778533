"""The engine: plan, ask, score and resume, here or on the workers of a Ray cluster."""
