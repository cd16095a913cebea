"""Lists of files and the changes feed."""
