"""What an answer is worth: a Protocol, a registry, one scorer per file."""
