"""Measurements, always side by side with a floor in one run: on shared machines only ratios mean anything."""
