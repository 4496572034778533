"""How `gold` reads an answer: its words, numbers, dates and times, and what is said of them."""
