"""Numbered steps from an empty file to the newest schema; each runs once, on open, in its own transaction."""
