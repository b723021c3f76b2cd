"""People made without the slow hash of a password, for tests that need many of them."""

from __future__ import annotations

from app.db.users import User
from app.http.transaction import utc_now
from app.services import accounts
from tests import scenario
from tests.scenario import Person
from tests.serving import Served


def newcomer(instance: Served, name: str, *, slug: str = "tiny") -> Person:
    """Somebody new with a token (read, submit), in a team of their own."""
    email = f"{name}@example.org"
    with instance.database.write_session() as session:
        user = User(email=email, name=name, password_hash="x", created_at=utc_now())
        session.add(user)
        session.flush()
        opened = accounts.create_token(
            session, user=user, name="test", scopes=["read", "submit"], days=1, now=utc_now()
        )
    who = Person(scenario.anonymous(instance.url).http, email)
    who.http.headers["Authorization"] = f"Bearer {opened.secret}"
    scenario.join(who, slug)
    return who
