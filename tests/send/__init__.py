"""`/send`: a file and the link to it, in one request."""
