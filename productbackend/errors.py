"""What the domain says when it refuses: plain Python, no HTTP."""

from collections.abc import Sequence
from typing import Any


class DomainError(Exception):
    """A rule said no.

    `code` names a row of the problem table in `productbackend.api.problems`, `detail` is a
    sentence for the person who asked, and `extra` are members that the answer carries beside them.
    """

    def __init__(self, code: str, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.extra = extra


class FileStoreUnavailable(DomainError):
    """The place where files are kept does not answer. What was asked of it may be done or not."""

    def __init__(self) -> None:
        super().__init__("unavailable", "The file store does not answer.")


class InvalidValue(DomainError):
    """A value that only the domain could judge, told by field as a validation error is."""

    def __init__(self, field: str | None, code: str, detail: str) -> None:
        super().__init__("validation-error", detail, errors=[{"field": field, "code": code, "detail": detail}])


class InvalidValues(DomainError):
    """Several values that only the domain could judge, told at once."""

    def __init__(self, errors: Sequence[InvalidValue]) -> None:
        details = [error.extra["errors"][0] for error in errors]
        summary = errors[0].detail if len(errors) == 1 else f"{len(errors)} values do not fit; see errors."
        super().__init__("validation-error", summary, errors=details)
