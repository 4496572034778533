"""The same question from somebody else: one counterfactual per file."""
