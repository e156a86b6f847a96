"""What a person or program does: one function each, which locks, checks the rules, writes and audits."""
