"""The streaming seam between the harness and a model server."""
