"""search: the index of words, ended cases by number

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op


revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
ENDED = sa.text("status IN ('closed', 'declined', 'referred', 'merged')")
OPEN = sa.text("status IN ('received', 'filed', 'dispatched', 'handling', 'handled', 'suspended')")
JOINED = sa.text('merged_into IS NOT NULL')
COUNTED = (
    'status', 'snoozed_until', 'decision', 'alike', 'returns', 'suggested', 'kind', 'stage_due_at', 'due_at', 'area'
)
WORDS = """
CREATE VIRTUAL TABLE search_words USING fts5(
words, content='', columnsize=0, detail=none, tokenize="ascii tokenchars '#^'")
"""


def upgrade() -> None:
    op.create_index('ix_cases_open', 'cases', COUNTED, sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index('ix_cases_joined', 'cases', ['merged_into'], sqlite_where=JOINED, postgresql_where=JOINED)
    op.create_table('search_due',
    sa.Column('item_id', BIG, autoincrement=False, nullable=False),
    sa.PrimaryKeyConstraint('item_id')
    )
    op.create_table('searched',
    sa.Column('item_id', BIG, autoincrement=False, nullable=False),
    sa.Column('terms', sa.ARRAY(sa.Integer()).with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.PrimaryKeyConstraint('item_id')
    )
    if op.get_bind().dialect.name == 'sqlite':
        op.execute(WORDS)
    else:
        op.create_index('ix_searched_terms', 'searched', ['terms'], postgresql_using='gin')
        op.create_index('ix_cases_ended', 'cases', ['id'], postgresql_where=ENDED)
    op.execute('INSERT INTO search_due (item_id) SELECT id FROM items')


def downgrade() -> None:
    if op.get_bind().dialect.name == 'sqlite':
        op.execute('DROP TABLE search_words')
    else:
        op.drop_index('ix_cases_ended', table_name='cases')
    for table in ('searched', 'search_due'):
        op.drop_table(table)
    for index in ('ix_cases_joined', 'ix_cases_open'):
        op.drop_index(index, table_name='cases')
