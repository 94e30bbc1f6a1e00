"""The exceptions of the domain, without HTTP."""

from collections.abc import Sequence
from typing import Any


class DomainError(Exception):
    """A rule was violated.

    `code` is a problem type in `productbackend.api.problem_types`, `detail` a sentence for the
    user, and `extra` further members of the response.
    """

    def __init__(self, code: str, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.extra = extra


class FileStoreUnavailable(DomainError):
    """The file store is unreachable. The operation may have been done or not."""

    def __init__(self) -> None:
        super().__init__("unavailable", "The file store does not answer.")


class Throttled(DomainError):
    """Too many requests: retry after `seconds`."""

    def __init__(self, seconds: float, detail: str = "Too many requests.") -> None:
        self.retry_after = int(seconds) + 1
        super().__init__("throttled", f"{detail} Try again in {self.retry_after} seconds.")


class InvalidValue(DomainError):
    """An invalid value that only the domain can detect, reported by field like a validation error."""

    def __init__(self, field: str | None, code: str, detail: str) -> None:
        super().__init__("validation-error", detail, errors=[{"field": field, "code": code, "detail": detail}])


class InvalidValues(DomainError):
    """Several invalid values, reported together."""

    def __init__(self, errors: Sequence[InvalidValue]) -> None:
        details = [error.extra["errors"][0] for error in errors]
        summary = errors[0].detail if len(errors) == 1 else f"{len(errors)} values are invalid; see errors."
        super().__init__("validation-error", summary, errors=details)
