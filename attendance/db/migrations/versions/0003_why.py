"""Why a mark: the second person, sealed crops that expire, near misses, withdrawn names."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("evidence", sa.Column("second", sa.Double, nullable=True))
    decided = sa.Column("decision", sa.String(20), nullable=False, server_default="accept")
    op.add_column("evidence", decided)
    looks = sa.Column("looks", sa.Integer, nullable=False, server_default="0")
    op.add_column("attendance_record", looks)
    op.add_column("attendance_record", sa.Column("doubted_at", sa.DateTime, nullable=True))
    _near_misses()
    _crops()


def downgrade() -> None:
    raise NotImplementedError("registers are never taken back to an older version")


def _near_misses():
    op.create_table(
        "near_miss",
        sa.Column("session_id", sa.Integer, primary_key=True, nullable=False),
        sa.Column("student_id", sa.Integer, primary_key=True, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("similarity", sa.Double, nullable=False),
        sa.Column("score", sa.Double, nullable=False),
        sa.Column("margin", sa.Double, nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id", "student_id"],
            ["session_roster.session_id", "session_roster.student_id"],
            name="fk_near_miss_roster",
        ),
    )


def _crops():
    evidence = sa.ForeignKey("evidence.id", ondelete="CASCADE")
    op.create_table(
        "crop",
        sa.Column("id", sa.String(36), primary_key=True, nullable=False),
        sa.Column("evidence_id", sa.Integer, evidence, nullable=False, unique=True),
        sa.Column("session_id", sa.Integer, nullable=False),
        sa.Column("student_id", sa.Integer, nullable=False),
        sa.Column("consent_id", sa.Integer, nullable=False),
        sa.Column("consent_is_live", sa.Boolean, nullable=False),
        sa.Column("taken_at", sa.DateTime, nullable=False),
        sa.Column("jpeg", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("consent_is_live = 1", name="crop_needs_live_consent"),
        sa.ForeignKeyConstraint(
            ["consent_id", "student_id", "consent_is_live"],
            ["consent.id", "consent.student_id", "consent.is_live"],
            name="fk_crop_consent",
        ),
    )
    op.create_index("ix_crop_taken", "crop", ["taken_at"])
    op.create_index("ix_crop_student", "crop", ["student_id", "session_id"])
