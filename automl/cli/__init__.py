"""The command line: one file per noun. Parses, calls, prints; decides nothing. Imports heavy packages inside functions only."""
