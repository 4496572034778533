"""Sphinx's configuration of the documentation's site; `make site` builds it."""

project = "Harness"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "Harness"
# The headings that other pages link to, by the names that GitHub gives them.
myst_heading_anchors = 4
