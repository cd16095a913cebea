"""Work without a request: the sweep, the daily reconciliation, notifications from S3."""
