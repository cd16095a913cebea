"""Work without a request: the hourly sweep, the daily reconciliation, notifications from S3."""
