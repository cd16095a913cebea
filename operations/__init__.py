"""Commands for operators, which run with their own rights in AWS."""
