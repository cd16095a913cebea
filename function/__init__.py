"""Everything that runs in Lambda, and only that."""
