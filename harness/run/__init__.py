"""The engine: plan requests, send them here or on a Ray cluster, score, and resume."""
