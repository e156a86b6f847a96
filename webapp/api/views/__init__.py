"""One module per thing that is asked for: parse, call, shape."""
