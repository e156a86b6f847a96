"""Smart Sync: hand-kept sheets and platform readings, merged, kept per day and served."""

__version__ = "0.1.0"
