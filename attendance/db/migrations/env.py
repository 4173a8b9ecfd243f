"""What Alembic runs. The program hands its connection over; `migrate.py` owns the transaction."""

from alembic import context

import attendance.db.calibration_models
import attendance.db.class_models  # noqa: F401 (their tables belong to Base as well)
from attendance.db.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
