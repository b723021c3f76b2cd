"""The truth table of the access predicates."""

import uuid

import pytest

from app.domain import access
from app.domain.access import ANONYMOUS, Actor, Standing

TEAM, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)
ALL = frozenset(access.SCOPES)
PERSON = Actor(user_id=uuid.UUID(int=9), scopes=ALL)
ADMIN = Actor(user_id=uuid.UUID(int=8), admin=True, scopes=ALL)
READER = Actor(user_id=uuid.UUID(int=9), scopes=frozenset({"read"}))
DRAFT, PUBLISHED = Standing(published=False), Standing(published=True)
ORGANISER = Standing(published=True, organiser=True)
JUROR = Standing(published=True, juror=True)
MEMBER = Standing(published=True, team_id=TEAM, documents_signed=True)
TURNED = Standing(published=True, team_id=TEAM, documents_signed=True, juror=True)
UNSIGNED = Standing(published=True, team_id=TEAM)


@pytest.mark.parametrize(
    ("actor", "standing", "view", "behind", "join", "take_part"),
    [
        (ANONYMOUS, DRAFT, False, False, False, False),
        (ANONYMOUS, PUBLISHED, True, False, False, False),
        (PERSON, DRAFT, False, False, False, False),
        (PERSON, PUBLISHED, True, False, True, False),
        (PERSON, MEMBER, True, False, True, True),
        (PERSON, UNSIGNED, True, False, True, False),
        (PERSON, TURNED, True, False, False, False),
        (PERSON, ORGANISER, True, True, False, False),
        (PERSON, JUROR, True, False, False, False),
        (ADMIN, DRAFT, True, True, False, False),
        (READER, MEMBER, True, False, False, False),
        (READER, ORGANISER, True, False, False, False),
    ],
)
def test_predicates(actor: Actor, standing: Standing, view: bool, behind: bool, join: bool, take_part: bool) -> None:
    found = (
        access.can_view(actor, standing),
        access.can_look_behind(actor, standing),
        access.can_join(actor, standing),
        access.can_take_part(actor, standing),
    )
    assert found == (view, behind, join, take_part)


@pytest.mark.parametrize(
    ("standing", "team", "expected"),
    [(MEMBER, TEAM, True), (MEMBER, OTHER, False), (JUROR, TEAM, False), (ORGANISER, TEAM, True)],
)
def test_a_submission_is_for_its_team_and_organisers(standing: Standing, team: uuid.UUID, expected: bool) -> None:
    assert access.can_see_submission(PERSON, standing, team_id=team) is expected


@pytest.mark.parametrize(
    ("sensitivity", "standing", "expected"),
    [
        ("open", PUBLISHED, True),
        ("open", DRAFT, False),
        ("controlled", PUBLISHED, False),
        ("controlled", UNSIGNED, False),
        ("controlled", MEMBER, True),
        ("controlled", ORGANISER, True),
    ],
)
def test_download(sensitivity: str, standing: Standing, expected: bool) -> None:
    assert access.can_download(PERSON, standing, sensitivity=sensitivity) is expected


@pytest.mark.parametrize(
    ("slice", "closed", "behind", "expected"),
    [
        ("split:public", False, False, True),
        ("split:private", False, False, False),
        ("split:private", True, False, True),
        ("split:private", False, True, True),
        ("split:never", True, False, False),
        ("split:unknown", True, False, False),
        ("all", False, False, False),
        ("all", True, False, False),
        ("subgroup:sex=F", False, False, False),
        ("all", False, True, True),
    ],
)
def test_slices_show_no_case_of_a_hidden_split(slice: str, closed: bool, behind: bool, expected: bool) -> None:
    splits = {"public": "live", "private": "after_close", "never": "never"}
    assert access.can_read_slice(slice=slice, splits=splits, closed=closed, behind=behind) is expected


def test_a_slice_over_all_cases_is_shown_when_every_split_is() -> None:
    splits = {"public": "live", "private": "after_close"}
    assert access.can_read_slice(slice="subgroup:sex=F", splits=splits, closed=True, behind=False)
