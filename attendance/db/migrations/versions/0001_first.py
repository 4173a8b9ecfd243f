"""The first tables: people, consents, sealed templates, courses, registers, numbered events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = """
CREATE TRIGGER event_refuses_{verb} BEFORE {verb} ON event
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END
"""


def upgrade() -> None:
    _people()
    _courses()
    _registers()
    for verb in ("UPDATE", "DELETE"):
        op.execute(APPEND_ONLY.format(verb=verb))


def downgrade() -> None:
    raise NotImplementedError("there is nothing before the first migration")


def _column(name, kind, **options):
    return sa.Column(name, kind, nullable=options.pop("nullable", False), **options)


def _id():
    return sa.Column("id", sa.Integer, primary_key=True, nullable=False)


def _people():
    op.create_table(
        "key_check",
        _id(),
        _column("sealed", sa.LargeBinary),
        sa.CheckConstraint("id = 1", name="one_key"),
    )
    op.create_table(
        "student",
        _id(),
        _column("number", sa.String(32), unique=True),
        _column("name", sa.String(100)),
        _column("data_key", sa.LargeBinary, nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "consent",
        _id(),
        sa.Column("student_id", sa.Integer, sa.ForeignKey("student.id"), nullable=False),
        _column("text_version", sa.String(50)),
        _column("language", sa.String(20)),
        _column("given_at", sa.DateTime),
        _column("withdrawn_at", sa.DateTime, nullable=True),
        _column("is_live", sa.Boolean),
        sa.CheckConstraint("is_live = (withdrawn_at IS NULL)", name="live_until_withdrawn"),
        sa.UniqueConstraint("id", "student_id", "is_live", name="uq_consent_live"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_consent_student", "consent", ["student_id"])
    op.create_table(
        "sample",
        _id(),
        sa.Column("student_id", sa.Integer, sa.ForeignKey("student.id"), nullable=False),
        _column("key", sa.String(100)),
        _column("pose", sa.String(20)),
        _column("added_at", sa.DateTime),
        sa.UniqueConstraint("student_id", "key", name="uq_sample_key"),
        sa.UniqueConstraint("id", "student_id", name="uq_sample_student"),
    )
    _templates()


def _templates():
    op.create_table(
        "template",
        sa.Column("id", sa.String(36), primary_key=True, nullable=False),
        sa.Column("student_id", sa.Integer, sa.ForeignKey("student.id"), nullable=False),
        _column("sample_id", sa.Integer),
        _column("consent_id", sa.Integer),
        _column("consent_is_live", sa.Boolean),
        _column("model_id", sa.String(100)),
        _column("pose", sa.String(20)),
        _column("is_flip", sa.Boolean),
        _column("embedding", sa.LargeBinary),
        sa.CheckConstraint("consent_is_live = 1", name="needs_live_consent"),
        sa.ForeignKeyConstraint(
            ["consent_id", "student_id", "consent_is_live"],
            ["consent.id", "consent.student_id", "consent.is_live"],
            name="fk_template_consent",
        ),
        sa.ForeignKeyConstraint(
            ["sample_id", "student_id"],
            ["sample.id", "sample.student_id"],
            name="fk_template_sample",
        ),
        sa.UniqueConstraint("student_id", "sample_id", "is_flip", "model_id", name="uq_template"),
    )
    columns = ["consent_id", "student_id", "consent_is_live"]
    op.create_index("ix_template_consent", "template", columns)
    op.create_index("ix_template_sample", "template", ["sample_id", "student_id"])


def _courses():
    op.create_table(
        "course",
        _id(),
        _column("code", sa.String(50), unique=True),
        _column("name", sa.String(200)),
        _column("timezone", sa.String(64)),
    )
    op.create_table(
        "roster_entry",
        _id(),
        sa.Column("course_id", sa.Integer, sa.ForeignKey("course.id"), nullable=False),
        sa.Column("student_id", sa.Integer, sa.ForeignKey("student.id"), nullable=False),
        _column("from_date", sa.Date, nullable=True),
        _column("to_date", sa.Date, nullable=True),
    )
    op.create_index(
        "uq_roster_entry_lasting",
        "roster_entry",
        ["course_id", "student_id"],
        unique=True,
        sqlite_where=sa.text("to_date IS NULL"),
    )
    op.create_table(
        "camera",
        _id(),
        _column("name", sa.String(200)),
        _column("source", sa.String(1000), unique=True),
    )
    _class_sessions()


def _class_sessions():
    op.create_table(
        "class_session",
        _id(),
        sa.Column("course_id", sa.Integer, sa.ForeignKey("course.id"), nullable=False),
        sa.Column("camera_id", sa.Integer, sa.ForeignKey("camera.id"), nullable=False),
        _column("state", sa.String(20)),
        _column("opened_at", sa.DateTime),
        _column("closed_at", sa.DateTime, nullable=True),
        _column("covered_s", sa.Double),
        _column("last_event", sa.Integer),
        _column("model_id", sa.String(100)),
        _column("rules", sa.JSON),
        _column("pace", sa.String(10)),
        _column("camera_state", sa.String(20)),
        _column("camera_detail", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_class_session_camera",
        "class_session",
        ["camera_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('open', 'paused')"),
    )
    op.create_index("ix_class_session_course", "class_session", ["course_id", "opened_at"])
    op.create_table(
        "session_roster",
        sa.Column(
            "session_id",
            sa.Integer,
            sa.ForeignKey("class_session.id"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column(
            "student_id", sa.Integer, sa.ForeignKey("student.id"), primary_key=True, nullable=False
        ),
    )


def _roster_key(name):
    return sa.ForeignKeyConstraint(
        ["session_id", "student_id"],
        ["session_roster.session_id", "session_roster.student_id"],
        name=name,
    )


def _registers():
    op.create_table(
        "attendance_record",
        _id(),
        _column("session_id", sa.Integer),
        _column("student_id", sa.Integer),
        _column("status", sa.String(20)),
        _column("source", sa.String(20)),
        _column("first_seen", sa.DateTime, nullable=True),
        _column("last_seen", sa.DateTime, nullable=True),
        _column("seen_s", sa.Double),
        _column("similarity", sa.Double, nullable=True),
        _column("score", sa.Double, nullable=True),
        _column("margin", sa.Double, nullable=True),
        _column("note", sa.Text),
        sa.UniqueConstraint("session_id", "student_id", name="uq_attendance_record"),
        _roster_key("fk_record_roster"),
    )
    op.create_table(
        "review",
        sa.Column("session_id", sa.Integer, primary_key=True, nullable=False),
        sa.Column("student_id", sa.Integer, primary_key=True, nullable=False),
        _column("opened_at", sa.DateTime),
        _column("settled_at", sa.DateTime, nullable=True),
        _column("similarity", sa.Double),
        _column("score", sa.Double),
        _column("margin", sa.Double),
        _roster_key("fk_review_roster"),
    )
    op.create_table(
        "evidence",
        _id(),
        _column("session_id", sa.Integer),
        _column("student_id", sa.Integer),
        _column("at", sa.DateTime),
        _column("similarity", sa.Double),
        _column("score", sa.Double),
        _column("margin", sa.Double),
        _column("quality", sa.Double),
        _roster_key("fk_evidence_roster"),
    )
    op.create_index("ix_evidence_student", "evidence", ["session_id", "student_id"])
    _events_and_leases()


def _events_and_leases():
    op.create_table(
        "event",
        sa.Column(
            "session_id",
            sa.Integer,
            sa.ForeignKey("class_session.id"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column("number", sa.Integer, primary_key=True, nullable=False),
        _column("kind", sa.String(30)),
        _column("at", sa.DateTime),
        sa.Column("student_id", sa.Integer, sa.ForeignKey("student.id"), nullable=True),
        _column("payload", sa.JSON),
    )
    op.create_table(
        "lease",
        sa.Column(
            "camera_id", sa.Integer, sa.ForeignKey("camera.id"), primary_key=True, nullable=False
        ),
        sa.Column("session_id", sa.Integer, sa.ForeignKey("class_session.id"), nullable=False),
        _column("owner", sa.String(64)),
        _column("beat", sa.Integer),
        _column("frames", sa.Integer),
        _column("dropped", sa.Integer),
        _column("fps", sa.Double),
        _column("unknown_faces", sa.Integer),
    )
