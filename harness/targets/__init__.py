"""What a target is: its identity, its connection, and proof that it is what it should be."""
