"""From an HTTP answer, or the lack of one, to the sentence and exit code a person needs."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from app.cli.errors import CliError, Fault, Invalid, NotAllowed, Unreachable, Usage

if TYPE_CHECKING:
    import httpx

_BY_STATUS: Mapping[int, type[CliError]] = {
    401: NotAllowed,
    403: NotAllowed,
    404: Usage,
    405: Usage,
    409: NotAllowed,
    426: Usage,
    429: NotAllowed,
}


def problem_of(answer: httpx.Response) -> dict[str, Any] | None:
    """The problem document of a refusal, or None when the answer holds none (a proxy's page, another program)."""
    try:
        document = answer.json()
    except ValueError:
        return None
    return document if isinstance(document, dict) and "code" in document else None


def refusal(answer: httpx.Response, *, address: str) -> CliError:
    """The error for an answer outside 2xx."""
    problem = problem_of(answer)
    if problem is None:
        return _foreign(answer, address)
    text = " ".join(filter(None, [_sentence(problem), _hint(answer, problem)]))
    kind = _BY_STATUS.get(answer.status_code, Invalid if answer.status_code < 500 else Fault)
    problems = [p if isinstance(p, dict) else {"text": str(p)} for p in problem.get("problems") or []]
    code = str(problem.get("code") or "E-HTTP")
    return kind(text, code=code, document=problem, problems=problems, may_pass=answer.status_code == 503)


def not_reached(error: Exception, *, address: str) -> Unreachable:
    """The error for a request that got no answer; names which of the usual reasons it is."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return Unreachable(
                f"There is no machine named in {address}, or no network. Check the address and the network."
            )
        if isinstance(cause, ssl.SSLError):
            return Unreachable(_tls(cause, address))
        if isinstance(cause, ConnectionRefusedError):
            return Unreachable(
                f"Nothing listens at {address}. Start the server, or name another with --server or ARBITRE_SERVER.",
                may_pass=True,
            )
    if "Timeout" in type(error).__name__:
        return Unreachable(
            f"{address} did not answer in time. If that lasts, check the network or a proxy.", may_pass=True
        )
    if type(error).__name__ == "ProxyError":
        return Unreachable(f"The proxy refused to reach {address} ({error}). Check HTTPS_PROXY and NO_PROXY.")
    return Unreachable(f"The connection to {address} broke off ({_short(causes[-1])}).", may_pass=True)


def foreign_body(*, address: str) -> Unreachable:
    """The error for a success that is not what the API answers."""
    return Unreachable(
        f"{address} answers, but not as an Arbitre server does. Check the address (and whether a sign-in page of the "
        "network stands in between)."
    )


def _sentence(problem: Mapping[str, Any]) -> str:
    detail = problem.get("detail")
    return str(detail) if isinstance(detail, str) else str(problem.get("title") or problem.get("code"))


def _hint(answer: httpx.Response, problem: Mapping[str, Any]) -> str:
    """What to do next, where the server's sentence cannot know it: the words of this program."""
    fields = problem.get("fields") or {}
    if answer.status_code == 401:
        return "Run `arbitre login`, or set ARBITRE_TOKEN."
    if answer.status_code == 429 and fields.get("resets_at"):
        return f"(That is {local_time(str(fields['resets_at']))} here.)"
    if answer.status_code == 429 and "retry-after" in answer.headers and "seconds" not in fields:
        return f"Try again in {answer.headers['retry-after']} seconds."
    return ""


def _foreign(answer: httpx.Response, address: str) -> CliError:
    status = answer.status_code
    if 300 <= status < 400:
        return Unreachable(f"{address} sends elsewhere, to {answer.headers.get('location', '?')}. Use that address.")
    if status in {502, 503, 504}:
        return Unreachable(f"{address} answers, but the service behind it does not ({status}).", may_pass=True)
    if status == 413:
        return Invalid(
            f"A proxy before {address} refuses a file of this size (413). Its operator must raise the limit."
        )
    if status >= 500:
        return Fault(
            f"{address} failed while it answered ({status}). Nothing is wrong with your input; try again later."
        )
    return foreign_body(address=address)


def _tls(error: ssl.SSLError, address: str) -> str:
    if "WRONG_VERSION_NUMBER" in str(error) or "UNKNOWN_PROTOCOL" in str(error):
        return f"{address} does not speak https there. If it is a server on your own machine, write http://."
    why = getattr(error, "verify_message", "") or error.reason or str(error)
    return (
        f"The certificate of {address} cannot be trusted ({why}). If your institution has its own certificate "
        "authority, set SSL_CERT_FILE to its file."
    )


def local_time(moment: str) -> str:
    """An ISO moment of the server as local time, to the minute; unchanged if it is none."""
    try:
        return dt.datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M %Z").strip()
    except ValueError:
        return moment


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _short(error: BaseException) -> str:
    return str(error) or type(error).__name__
