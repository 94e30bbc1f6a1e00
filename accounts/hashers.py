"""How passwords are hashed."""

import threading

from django.contrib.auth.hashers import Argon2PasswordHasher

AT_ONCE = 2  # in one process: a third would wait for a core all the same, and take another 100 MB


class BoundedArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2, of which few run at once: each takes 100 MB, and a web process has many threads.

    Without it as many sign-ins as there are threads made a process grow to a gigabyte.
    """

    room = threading.BoundedSemaphore(AT_ONCE)

    def encode(self, password: str, salt: str) -> str:
        with self.room:
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with self.room:
            return super().verify(password, encoded)
