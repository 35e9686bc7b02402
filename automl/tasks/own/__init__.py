"""Tasks from a person's own files: what is in them is inferred, said, and can be set. Splits nothing and encodes nothing."""
