"""Why a command ends without success: a sentence, an exit code (design 11.8), the problem document for `--json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

OK, INVALID, USAGE, UNREACHABLE, NOT_ALLOWED, FAULT = range(6)


class CliError(Exception):
    """A sentence that says what is wrong, where, and how to fix it.

    `document` is the API's own problem document where there is one. `problems` are the single faults of an entry or of
    a challenge folder; each has at least `text`. `may_pass`: the same request may succeed a little later.
    """

    exit_code = FAULT
    code = "E-FAULT"

    def __init__(
        self,
        text: str,
        *,
        code: str | None = None,
        document: Mapping[str, Any] | None = None,
        problems: Sequence[Mapping[str, Any]] = (),
        may_pass: bool = False,
    ) -> None:
        super().__init__(text)
        self.text = text
        self.code = code or type(self).code
        self.problems = tuple(problems)
        self.may_pass = may_pass
        self._document = document

    @property
    def document(self) -> dict[str, Any]:
        """The problem document (RFC 9457): the server's, or one of the same shape for what never reached a server."""
        if self._document is not None:
            return dict(self._document)
        own: dict[str, Any] = {"type": "about:blank", "title": self.code, "detail": self.text, "code": self.code}
        return {**own, "problems": list(self.problems)} if self.problems else own


class Invalid(CliError):
    """The entry, the spec or the archive is at fault."""

    exit_code = INVALID
    code = "E-INVALID"


class Usage(CliError):
    """The command was given something that is not there or does not fit."""

    exit_code = USAGE
    code = "E-USAGE"


class Unreachable(CliError):
    """No server answered at the address, or something else did."""

    exit_code = UNREACHABLE
    code = "E-NOT-REACHABLE"


class NotAllowed(CliError):
    """The server knows the request and refuses it: not signed in, no right, no quota left, not open."""

    exit_code = NOT_ALLOWED
    code = "E-NOT-ALLOWED"


class Fault(CliError):
    """The platform failed, not the user."""
