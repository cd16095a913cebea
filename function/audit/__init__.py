"""The audit log: records of changes, and the query for administrators."""
