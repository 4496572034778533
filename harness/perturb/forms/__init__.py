"""The same question in another form: one perturbation per file."""
