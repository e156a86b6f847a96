"""Where numbers are kept: tables, the transactions that change them, the queries that answer."""
