"""Presigned downloads of files and folders."""
