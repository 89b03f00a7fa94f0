"""Reads pages of sites that nobody configured, by what the pages of the world have in common, never by a site's name."""
