"""Shares with accounts and groups, the groups, and the access list of a file."""
