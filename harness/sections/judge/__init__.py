"""The kind of section whose answers other targets judge: rubric, prompt, reading, results."""
