"""What other apps may listen to."""

from django.dispatch import Signal

# Sent with `user` in the transaction that closes the account, before its row is deleted.
account_closed = Signal()
