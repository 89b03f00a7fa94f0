"""Alerts: which rules a new document fires, what is told to whom, and the sending of it.

`hook` matches inside the document's own transaction; `render` writes the message; `sender` delivers it, apart from all
else, at least once, with a key by which the receiver can drop a repeat.
"""
