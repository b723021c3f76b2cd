"""Rate limits of what can be guessed or flooded: sign-in, sign-up, submitting."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from fastapi import Request
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from app.errors import TooMany

LIMITER = MovingWindowRateLimiter(MemoryStorage())


def limited(name: str, rate: str) -> Callable[[Request], None]:
    """A dependency that refuses with 429 above `rate` (for instance "10/minute") per client address."""
    item: RateLimitItem = parse(rate)

    def check(request: Request) -> None:
        if not request.app.state.parts.settings.rate_limits:
            return
        address = request.client.host if request.client else "unknown"
        if not LIMITER.hit(item, name, address):
            wait = max(1, math.ceil(LIMITER.get_window_stats(item, name, address).reset_time - time.time()))
            raise TooMany(seconds=wait, headers={"Retry-After": str(wait)})

    return check
