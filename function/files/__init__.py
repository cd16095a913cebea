"""Files: their content, the commit of an upload, conditional requests, purging."""
