"""HTTP over connections of our own: a response is taken where it is read."""
