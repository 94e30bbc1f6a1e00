"""What staff do about money over HTTP: refunds, and orders that were paid by another way."""
