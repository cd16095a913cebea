"""The clients of AWS: DynamoDB, S3, SES, and the translation of their errors."""
