"""Keeps the crawls going: when each source is due, one child process per crawl, what people ask of it, what has gone silent."""
