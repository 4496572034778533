"""Pure mathematics on arrays; imports nothing of ours."""
