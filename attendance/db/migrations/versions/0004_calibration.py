"""Operating points of courses, cohorts of cameras."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "operating_point",
        sa.Column("id", sa.Integer, primary_key=True, nullable=False),
        _column("course_id", sa.Integer, sa.ForeignKey("course.id")),
        sa.Column("camera_id", sa.Integer, sa.ForeignKey("camera.id"), nullable=True),
        _column("model_id", sa.String(100)),
        sa.Column("cohort_version", sa.Integer, nullable=True),
        _column("thresholds", sa.JSON),
        _column("target_fpir", sa.Double),
        _column("strangers", sa.Integer),
        _column("expected_false_accepts", sa.Double),
        _column("students", sa.JSON),
        _column("too_alike", sa.JSON),
        _column("made_at", sa.DateTime),
        _column("figures", sa.JSON),
    )
    op.create_index("ix_operating_point_course", "operating_point", ["course_id", "model_id"])
    op.create_table(
        "camera_cohort",
        _key("camera_id", sa.Integer, sa.ForeignKey("camera.id")),
        _key("model_id", sa.String(100)),
        _key("version", sa.Integer),
        _column("tracks", sa.Integer),
        _column("people", sa.Integer),
        _column("mean", sa.LargeBinary),
        _column("made_at", sa.DateTime),
    )


def downgrade() -> None:
    raise NotImplementedError("registers are never taken back to an older version")


def _column(name, kind, *more):
    return sa.Column(name, kind, *more, nullable=False)


def _key(name, kind, *more):
    return sa.Column(name, kind, *more, primary_key=True, nullable=False)
