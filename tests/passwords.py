"""Passwords and keys of tests. Imports nothing, so that it is usable before Django's settings are read."""

PASSWORD = "correct horse battery"
NEW_PASSWORD = "quite another secret"
OTHER_KEY = "another key, as long as ours is but not known to the shop at all"
