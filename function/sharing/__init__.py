"""Shares with accounts and groups, the groups, and who has access."""
