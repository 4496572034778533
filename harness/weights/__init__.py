"""Work on a target's own weights, in a child process."""
