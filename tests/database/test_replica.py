"""A view that reads from the replica is not retried for an error of its own."""

import pytest
from django.db import DataError, Error, IntegrityError, OperationalError, ProgrammingError

from productbackend.database import replica


@pytest.mark.parametrize(
    "error",
    [
        IntegrityError(1062, "Duplicate entry"),
        DataError(1264, "Out of range"),
        ProgrammingError(1064, "You have an error in your SQL syntax"),
        OperationalError(1054, "Unknown column"),
        OperationalError(3024, "maximum statement execution time exceeded"),
        OperationalError(1969, "max_statement_time exceeded"),
        OperationalError(),
    ],
    ids=lambda error: str(error),
)
def test_an_error_of_the_view_is_not_retried(error: Error, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica, "is_caught_up", lambda: True)
    runs = []

    @replica.reading
    def view() -> None:
        runs.append(1)
        raise error

    with pytest.raises(type(error)):
        view()
    assert len(runs) == 1
