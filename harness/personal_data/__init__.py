"""Personal data and secrets in text: where they stand, and what may stand in their place."""

from harness.personal_data.detector import find
from harness.personal_data.names import NameFinder
from harness.personal_data.redact import Redactor
from harness.personal_data.span import KINDS, Kind, Span, WrittenKind

__all__ = ["KINDS", "Kind", "NameFinder", "Redactor", "Span", "WrittenKind", "find"]
