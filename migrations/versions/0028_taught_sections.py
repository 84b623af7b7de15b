"""What academics publishes for reports: which course a section is of.

Revision: 0028
"""

from alembic import op

revision = "0028"
down_revision = "0029"
branch_labels = None
depends_on = None

CHANGES = """
CREATE VIEW academics.taught_sections AS
SELECT s.id AS section_id, s.code AS section_code, c.id AS course_id, c.code AS course_code, c.title AS course_title
FROM academics.sections s JOIN academics.courses c ON c.id = s.course_id;
"""


def upgrade() -> None:
    """Make the view."""
    op.get_bind().exec_driver_sql(CHANGES)


def downgrade() -> None:
    """Drop the view."""
    op.get_bind().exec_driver_sql("DROP VIEW academics.taught_sections")
