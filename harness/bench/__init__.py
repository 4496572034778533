"""The wiring that commands, the pytest plugin and the Python face share."""
