"""What was wrong with the view of a look, in words; looks from before have none."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    flaw = sa.Column("flaw", sa.Text, nullable=False, server_default="")
    op.add_column("evidence", flaw)


def downgrade() -> None:
    raise NotImplementedError("registers are never taken back to an older version")
