"""What a suite is made of: a Protocol, a registry, one kind of section per file."""
