"""The kinds of rules, one a file."""
