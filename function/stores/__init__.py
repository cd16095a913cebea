"""The only rooms that speak AWS; botocore's errors become ours at one seam."""
