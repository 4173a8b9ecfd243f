"""What a camera skips and how large its pictures are; a wish to look again."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("class_session", sa.Column("look_again_at", sa.DateTime, nullable=True))
    for name, kind in (("skipped", sa.Double), ("width_px", sa.Integer), ("height_px", sa.Integer)):
        op.add_column("lease", sa.Column(name, kind, nullable=False, server_default="0"))


def downgrade() -> None:
    raise NotImplementedError("registers are never taken back to an older version")
