"""Every rule of the product, pure: nothing here reads a clock, a file, a network or a database."""
