"""Signals for other apps."""

from django.dispatch import Signal

# Sent with `user` in the transaction that closes the account, before its row is deleted.
account_closed = Signal()

# Sent with `user` in the transaction that sets a new password, by whichever way.
password_changed = Signal()
