"""Every refusal of the service: a stable code, an HTTP status and an English sentence, translated at the edge."""

from __future__ import annotations

from typing import Any


def N_(message: str) -> str:
    """Mark a message for translation; it is translated where it is shown."""
    return message


class AppError(Exception):
    """A refusal with a stable `code`, a `status` and a `template` filled with `fields`.

    `template` is the gettext message (named %-placeholders). `headers` go out with the answer.
    """

    status = 400
    code = "E-BAD-REQUEST"
    template = N_("The request could not be understood.")

    def __init__(
        self,
        template: str | None = None,
        *,
        code: str | None = None,
        headers: dict[str, str] | None = None,
        **fields: Any,
    ) -> None:
        self.template = template or type(self).template
        self.code = code or type(self).code
        self.headers = headers or {}
        self.fields = fields
        super().__init__(self.text())

    def text(self) -> str:
        """The sentence in English."""
        return self.template % self.fields if self.fields else self.template


class SignInNeeded(AppError):
    status = 401
    code = "E-SIGN-IN"
    template = N_("Sign in first.")


class NotAllowed(AppError):
    status = 403
    code = "E-NOT-ALLOWED"
    template = N_("Your account may not do this.")


class NotFound(AppError):
    status = 404
    code = "E-NOT-FOUND"
    template = N_("There is no such thing here, or your account may not see it.")


class Conflict(AppError):
    status = 409
    code = "E-CONFLICT"
    template = N_("This conflicts with what is recorded already.")


class TooLarge(AppError):
    status = 413
    code = "E-TOO-LARGE"
    template = N_("The file is larger than %(limit)s.")


def too_large(limit: int) -> TooLarge:
    """The refusal of a body above `limit` bytes."""
    return TooLarge(limit=f"{limit / 1_000_000:.0f} MB")


class Invalid(AppError):
    """Well-formed input that the rules refuse; `problems` is a list of {where, text} when there are several."""

    status = 422
    code = "E-INVALID"
    template = N_("Some of what was sent is not valid.")

    def __init__(
        self, template: str | None = None, *, problems: list[dict[str, Any]] | None = None, **fields: Any
    ) -> None:
        super().__init__(template, **fields)
        self.problems = problems or []


class ProtocolVersion(AppError):
    status = 426
    code = "E-PROTOCOL"
    template = N_("This server speaks runner protocol %(low)s to %(high)s. Update the runner.")


class TooMany(AppError):
    status = 429
    code = "E-TOO-MANY"
    template = N_("Too many requests. Try again in %(seconds)s seconds.")


class QuotaUsed(AppError):
    status = 429
    code = "E-QUOTA"
    template = N_("Your team has used its %(quota)s submissions. The next slot opens at %(resets_at)s.")


class Unavailable(AppError):
    status = 503
    code = "E-UNAVAILABLE"
    template = N_("The service cannot do this right now. Nothing was lost. Try again in a minute.")


class DiskFull(AppError):
    status = 507
    code = "E-DISK-FULL"
    template = N_(
        "The server's disk is full, so the file was not kept and no quota was used. "
        "Send it again later; the operator can see this."
    )
