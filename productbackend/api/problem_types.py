"""The problem types of the API (RFC 9457): one table of all errors. Apps add theirs in `ready()`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """A problem type: its status, its title, what it means and what a client can do."""

    status: int
    title: str
    meaning: str
    remedy: str


PROBLEMS = {
    "validation-error": Problem(
        400,
        "The request has invalid values",
        "`errors` lists each invalid field with a code and a sentence; a `field` of null means the whole object.",
        "Correct these fields and send the request again.",
    ),
    "malformed": Problem(
        400,
        "The request cannot be read",
        "The body does not match its Content-Type, or the request violates HTTP.",
        "Send valid JSON in UTF-8, or well-formed multipart for files.",
    ),
    "not-authenticated": Problem(
        401,
        "Authentication is required",
        "The access token is missing, invalid, expired or revoked.",
        "Send `Authorization: Bearer <access token>`; get one at /token/ or /token/refresh/.",
    ),
    "forbidden": Problem(
        403,
        "This account may not do that",
        "The account lacks the permission.",
        "Ask the shop's administrator for the permission.",
    ),
    "not-found": Problem(
        404,
        "Nothing is here",
        "The path or the object does not exist, or belongs to another customer.",
        "Check the path; every path ends in a slash.",
    ),
    "method-not-allowed": Problem(
        405,
        "The method is not allowed here",
        "The path exists but does not support this method.",
        "See the `Allow` header for the methods that it supports.",
    ),
    "not-acceptable": Problem(
        406,
        "No such representation",
        "The `Accept` header names no media type that this path serves.",
        "Request application/json.",
    ),
    "in-use": Problem(
        409,
        "The object is in use",
        "An object that others belong to cannot be deleted, nor one that another request uses.",
        "Move or delete what belongs to it first, or try again.",
    ),
    "length-required": Problem(
        411,
        "The body has no length",
        "The request has a body but no `Content-Length`.",
        "Send a `Content-Length`.",
    ),
    "precondition-failed": Problem(
        412,
        "It has changed since you read it",
        "The `If-Match` header does not match the current ETag. Some responses include the current object.",
        "Read the object again, review the changes, and send the new ETag.",
    ),
    "too-large": Problem(
        413,
        "The body is too large",
        "JSON may have 1 MB, at the account's paths 10 kB; a picture IMAGE_MAX_BYTES.",
        "Send a smaller body.",
    ),
    "uri-too-long": Problem(
        414,
        "The address is too long",
        "The path and its query may have 8,190 characters together.",
        "Send fewer or shorter query parameters.",
    ),
    "unsupported-media-type": Problem(
        415,
        "The body's media type is not supported here",
        "The `Content-Type` header names a type that this path does not support, or another charset than UTF-8.",
        "Send application/json in UTF-8, or multipart/form-data for files.",
    ),
    "throttled": Problem(
        429,
        "Too many requests",
        "This address or account has sent too many requests.",
        "Wait for the seconds in `Retry-After`.",
    ),
    "headers-too-large": Problem(
        431,
        "The request's headers are too large",
        "A header may have 8,190 characters, all lines of its name together.",
        "Send shorter headers; delete cookies that are not the shop's.",
    ),
    "internal-error": Problem(
        500,
        "Something went wrong here",
        "The server failed. The error was logged under the response's X-Request-ID.",
        "Try again later; if it fails again, report the request id to the shop.",
    ),
    "unavailable": Problem(
        503,
        "The service cannot answer just now",
        "The database is unreachable or read-only, the file store or a payment provider is unreachable, a read takes "
        "too long, or too many passwords are being checked.",
        "Try again after the seconds in `Retry-After`.",
    ),
}
