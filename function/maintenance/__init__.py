"""Scheduled work: the sweep, the daily reconciliation, S3 events."""
