"""One module for each kind of row: its record, its key, its writes and its queries."""
