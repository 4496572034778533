"""The page where people grade stored answers: what is drawn, kept, shown and exported."""
