"""Renames and moves of files and folders."""
