"""The databases there are: every branch between SQLite and PostgreSQL."""
