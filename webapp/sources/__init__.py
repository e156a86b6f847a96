"""Where numbers are read: sheets and platforms, and what their cells and URLs mean."""
