"""A measurement of latency, as a section of the report and as a page of its own."""
