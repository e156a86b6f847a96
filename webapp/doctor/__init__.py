"""`smart-sync doctor`: every part looked at once, and each fault reported with its fix."""
