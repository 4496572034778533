"""The artefact chain: whether each form of a model on its way to users is still the same model."""
