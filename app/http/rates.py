"""Rate limits of what can be guessed or flooded: sign-in, sign-up, submitting."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Network, ip_address

from fastapi import Request
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from app.errors import TooMany

LIMITER = MovingWindowRateLimiter(MemoryStorage())
GUESSES = parse("50/hour")
KNOWN = parse("1/30 day")


def client_of(request: Request) -> str:
    """Who is counted: an IPv4 address, or the /64 of an IPv6 one, of which one household has all addresses."""
    address = request.client.host if request.client else "unknown"
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(known, IPv4Address) or known.ipv4_mapped:
        return str(known)
    return str(IPv6Network((known, 64), strict=False))


def count_guess(request: Request, account: str) -> None:
    """Refuse with 429 above 50 passwords an hour for one account, from however many addresses they come.

    Not from where its owner signed in lately, or strangers could keep the owner out.
    """
    if LIMITER.test(KNOWN, *_pair(request, account)):
        _hit(request, GUESSES, "account", _plain(account))


def remember(request: Request, account: str) -> None:
    """Somebody signed in to this account from here."""
    LIMITER.hit(KNOWN, *_pair(request, account))


def _pair(request: Request, account: str) -> tuple[str, str, str]:
    return "known", _plain(account), client_of(request)


def _plain(account: str) -> str:
    return account.strip().lower()[:254]


def limited(name: str, rate: str) -> Callable[[Request], None]:
    """A dependency that refuses with 429 above `rate` (for instance "10/minute") per client."""
    item: RateLimitItem = parse(rate)

    def check(request: Request) -> None:
        _hit(request, item, name, client_of(request))

    return check


def _hit(request: Request, item: RateLimitItem, name: str, who: str) -> None:
    if not request.app.state.parts.settings.rate_limits:
        return
    if not LIMITER.hit(item, name, who):
        wait = max(1, math.ceil(LIMITER.get_window_stats(item, name, who).reset_time - time.time()))
        raise TooMany(seconds=wait, headers={"Retry-After": str(wait)})
