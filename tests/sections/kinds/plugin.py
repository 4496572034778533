"""A plugin of pytest's that makes the kinds known to its session."""

from tests.sections.kinds import register_all

register_all()
