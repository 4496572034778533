"""Questions and answers that a model writes: paraphrases, and drafts from documents."""
