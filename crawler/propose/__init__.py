"""Proposes how a site that nobody configured could be watched: finds its feeds, sitemaps, interfaces and lists, and tries each."""
