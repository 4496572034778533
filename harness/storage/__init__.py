"""A run's folder: attempts appended as they finish, replayed on the next start, sealed at the end.

A resumed run keeps every answer in the journal and repeats only requests without one: a failure in
the journal is not a result.
"""

from harness.storage.line_index import Stored
from harness.storage.run_folder import RunFolder, newest_finished, runs_of

__all__ = ["RunFolder", "Stored", "newest_finished", "runs_of"]
