"""Who may do what: named predicates over an actor and their standing in one challenge. No I/O."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

SCOPES = ("read", "submit", "organise", "admin")


@dataclass(frozen=True)
class Actor:
    """Who is asking. Anonymous: `user_id` is None. `scopes` limit a token; a browser session has all of them.

    `token_id`: the API token that came with the request, None for a browser session.
    """

    user_id: uuid.UUID | None = None
    admin: bool = False
    can_organise: bool = False
    scopes: frozenset[str] = frozenset()
    language: str = "en"
    name: str = ""
    token_id: uuid.UUID | None = None

    @property
    def signed_in(self) -> bool:
        return self.user_id is not None


ANONYMOUS = Actor()
SYSTEM = Actor(admin=True, scopes=frozenset(SCOPES), name="system")
"""The instance itself: command line on the host, worker, runner reports."""


@dataclass(frozen=True)
class Standing:
    """An actor's place in one challenge."""

    published: bool
    organiser: bool = False
    juror: bool = False
    team_id: uuid.UUID | None = None
    documents_signed: bool = False


def can_sign(actor: Actor) -> bool:
    """May hold tokens and accept documents."""
    return actor.signed_in


def can_revoke_token(actor: Actor, *, owner_id: uuid.UUID, token_id: uuid.UUID) -> bool:
    """Whoever owns it; a limited token ends no other than itself."""
    whole = actor.scopes == frozenset(SCOPES)
    return actor.user_id == owner_id and (whole or actor.token_id == token_id)


def can_create_challenge(actor: Actor) -> bool:
    return "organise" in actor.scopes and (actor.admin or actor.can_organise)


def can_view(actor: Actor, standing: Standing) -> bool:
    """May know that the challenge exists: everybody once published, organisers and admins before."""
    return standing.published or can_look_behind(actor, standing)


def can_look_behind(actor: Actor, standing: Standing) -> bool:
    """May see drafts, 12 digits, private splits and the reference's digests."""
    return "organise" in actor.scopes and (standing.organiser or actor.admin)


def can_manage(actor: Actor, standing: Standing) -> bool:
    """May publish, change and close: organisers of this challenge, and admins."""
    return can_look_behind(actor, standing)


def can_join(actor: Actor, standing: Standing) -> bool:
    """Anybody signed in, except who knows or judges the answers."""
    return actor.signed_in and "submit" in actor.scopes and standing.published and not _knows_answers(actor, standing)


def _knows_answers(actor: Actor, standing: Standing) -> bool:
    return standing.organiser or standing.juror or actor.admin


def can_take_part(actor: Actor, standing: Standing) -> bool:
    """May submit: in a team, with every required document accepted, and neither knows nor judges the answers."""
    apart = not _knows_answers(actor, standing)
    return "submit" in actor.scopes and apart and standing.team_id is not None and standing.documents_signed


def can_download(actor: Actor, standing: Standing, *, sensitivity: str) -> bool:
    """May download public files: everybody for open data, participants with documents accepted otherwise."""
    if can_look_behind(actor, standing):
        return True
    if sensitivity == "open":
        return can_view(actor, standing)
    return "read" in actor.scopes and standing.team_id is not None and standing.documents_signed


def can_see_submission(actor: Actor, standing: Standing, *, team_id: uuid.UUID) -> bool:
    """The team itself, organisers and admins; other teams and jurors are told that there is no such thing."""
    mine = "read" in actor.scopes and standing.team_id is not None and standing.team_id == team_id
    return mine or can_look_behind(actor, standing)


def can_change_submission(actor: Actor, standing: Standing, *, team_id: uuid.UUID) -> bool:
    """May cancel, withdraw or choose as final: the team itself."""
    return "submit" in actor.scopes and standing.team_id is not None and standing.team_id == team_id


def can_administer(actor: Actor) -> bool:
    return actor.admin and "admin" in actor.scopes


def can_read_slice(*, slice: str, splits: dict[str, str], closed: bool, behind: bool) -> bool:
    """May see values of a slice: `split:<name>` by that split's visibility; all others span every split.

    `splits` maps split name to live | after_close | never.
    """
    if behind:
        return True
    visible = {name: how == "live" or (how == "after_close" and closed) for name, how in splits.items()}
    if slice.startswith("split:"):
        return visible.get(slice.removeprefix("split:"), False)
    return all(visible.values())
