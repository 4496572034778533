"""Trying a target, or this machine, step by step: what works, what does not, what to do."""
