"""Alerts end to end: rules, rendering, sending by a real mail server and a webhook that fails, and kill -9."""
