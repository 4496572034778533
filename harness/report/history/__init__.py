"""The course of a suite's metrics over its gates: one view, drawn, tabled and written."""
