"""32 concurrent writers on the embedded database; Django's default settings are the control, which fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = pytest.mark.embedded

WRITERS = 32
TRANSACTIONS = 5

# Reads, then writes, as real transactions do: without IMMEDIATE such a transaction fails midway.
WORK = """
import sys, threading
import django
from django.conf import settings
from productbackend import settings as shop
options = shop.DATABASES["default"]["OPTIONS"] if sys.argv[2] == "ours" else {}
database = {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1], "OPTIONS": options}
settings.configure(DATABASES={"default": database})
django.setup()
from django.db import OperationalError, connection, transaction
with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE counter (value INTEGER)")
    cursor.execute("INSERT INTO counter VALUES (0)")
errors = []
gate = threading.Barrier(WRITERS)
def write():
    gate.wait()
    for _ in range(TRANSACTIONS):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT value FROM counter")
                value = cursor.fetchone()[0]
                cursor.execute("UPDATE counter SET value = %s", [value + 1])
        except OperationalError as error:
            errors.append(str(error))
    connection.close()
threads = [threading.Thread(target=write) for _ in range(WRITERS)]
for thread in threads: thread.start()
for thread in threads: thread.join()
with connection.cursor() as cursor:
    cursor.execute("SELECT value FROM counter")
    print(len(errors), cursor.fetchone()[0])
"""


@pytest.mark.thorough
@pytest.mark.parametrize(("options", "fails"), [("ours", False), ("default", True)])
def test_32_writers_meet_no_locked_database(tmp_path: Path, options: str, fails: bool) -> None:
    code = WORK.replace("WRITERS", str(WRITERS)).replace("TRANSACTIONS", str(TRANSACTIONS))
    answer = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "db.sqlite3"), options],
        cwd=settings.BASE_DIR,
        env=os.environ | {"MYSQL_HOST": ""},  # SQLite, whatever database this run uses
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    errors, value = map(int, answer.stdout.split())
    assert (errors > 0) is fails
    assert value == WRITERS * TRANSACTIONS - errors  # no update was lost
