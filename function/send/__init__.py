"""Sends a file to somebody in one request: puts it and creates a link to it."""
