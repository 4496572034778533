"""A run's folder: attempts appended as they finish, replayed on the next start, sealed at the end.

A resumed run keeps every answer it finds and asks again only for what has none: a failure in the
journal is history, not a result.
"""

from harness.journal.folder import RunFolder, runs_of
from harness.journal.stored import Stored

__all__ = ["RunFolder", "Stored", "runs_of"]
