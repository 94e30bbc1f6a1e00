"""Creates the `.env` of a fresh checkout with a SECRET_KEY: `python -m productbackend.embedded.dotenv`."""

import os
import re
import secrets
from pathlib import Path

from productbackend.environment import PATH, exit_on_bad_setting

HEADING = "# The settings of this machine; .env.sample describes each. Keep this file secret.\n"
EMPTY = re.compile(r"^[ \t]*SECRET_KEY[ \t]*=[ \t]*$", re.MULTILINE)
SET = re.compile(r"^[ \t]*SECRET_KEY[ \t]*=[ \t]*\S", re.MULTILINE)


def provide_secret_key(path: Path) -> bool:
    """Write a random SECRET_KEY into the file unless it or the environment has one; return whether it was written."""
    text = path.read_text() if path.exists() else HEADING
    if os.environ.get("SECRET_KEY", "").strip() or SET.search(text):
        return False
    line = f"SECRET_KEY={secrets.token_urlsafe(48)}"
    text, filled = EMPTY.subn(line, text, count=1)
    if not filled:
        text = f"{text.rstrip()}\n{line}\n".lstrip()
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        os.fchmod(file.fileno(), 0o600)  # also if the file existed
        file.write(text)
    return True


if __name__ == "__main__":
    with exit_on_bad_setting():
        if provide_secret_key(PATH):
            print(f"Wrote a random SECRET_KEY into {PATH}")  # noqa: T201
