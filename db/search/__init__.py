"""How stored documents are found: folding, the bigram index, the query language and its one SQL statement.

`parse(text)` reads a query and refuses a bad one with position and reason; `compile_query(...)` makes the SQL; the
same SQL runs on the database (search) and on an in-memory copy that holds only new documents (alerts).
"""

from db.search.compile import Compiled, compile_query, find
from db.search.fold import bigrams, fold, register
from db.search.language import Query, QueryError, parse

__all__ = [
    "Compiled",
    "Query",
    "QueryError",
    "bigrams",
    "compile_query",
    "find",
    "fold",
    "parse",
    "register",
]
