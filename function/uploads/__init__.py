"""Uploads that go straight to S3, and the Companion protocol of Uppy."""
