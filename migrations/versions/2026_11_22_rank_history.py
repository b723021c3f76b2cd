"""The history of ranks, and how an entry compares with the one before it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_22_rank_history"
down_revision = "2026_11_22_first_tables"

LARGEST = "1.7976931348623157e308"
FINITE = f"BETWEEN -{LARGEST} AND {LARGEST}"


def upgrade() -> None:
    op.create_table(
        "board_changes",
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("split", sa.String(length=64), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("tied", sa.Boolean(), nullable=False),
        sa.Column("rank_low", sa.Integer(), nullable=True),
        sa.Column("rank_high", sa.Integer(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["phase_id"], ["phases.id"], name=op.f("fk_board_changes_phase_id")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_board_changes_team_id")),
        sa.PrimaryKeyConstraint("phase_id", "split", "team_id", "seq", name=op.f("pk_board_changes")),
    )
    op.create_table(
        "comparisons",
        sa.Column("evaluation_id", sa.Uuid(), nullable=False),
        sa.Column("against_id", sa.Uuid(), nullable=False),
        sa.Column("split", sa.String(length=64), nullable=False),
        sa.Column("difference", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=False),
        sa.Column("high", sa.Double(), nullable=False),
        sa.Column("separable", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            f"difference {FINITE} AND low {FINITE} AND high {FINITE}", name=op.f("ck_comparisons_finite")
        ),
        sa.ForeignKeyConstraint(["against_id"], ["submissions.id"], name=op.f("fk_comparisons_against_id")),
        sa.ForeignKeyConstraint(["evaluation_id"], ["evaluations.id"], name=op.f("fk_comparisons_evaluation_id")),
        sa.PrimaryKeyConstraint("evaluation_id", name=op.f("pk_comparisons")),
    )
