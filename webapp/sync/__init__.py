"""One sync: whose turn it is, what was read, what it means together, and what is written of it."""
