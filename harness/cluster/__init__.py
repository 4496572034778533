"""Work that is spread over several machines; Ray is known here and nowhere else."""
