"""One module per page: what it asks the database, as plain values for its template."""
