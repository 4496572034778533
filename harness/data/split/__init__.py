"""Training data divided into parts, so that no part holds what another one asks."""
