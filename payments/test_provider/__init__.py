"""A payment provider for front-end developers and tests: a process of its own, with its own books.

It takes no money. A customer chooses on its page what happens, also what goes wrong at real providers: an event that
is lost or sent twice, an answer that times out after the charge, a refund from outside. `make run` starts it.
"""
