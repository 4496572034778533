"""HTTP/1.1 transport, which records the time of every read."""
