"""channels

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import store.columns


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
STRING = sqlmodel.sql.sqltypes.AutoString()

SOURCE = (
    ('saved', sa.Text(), ''),
    ('failures', sa.Integer(), '0'),
    ('empty', sa.Integer(), '0'),
    ('alert', sa.Text(), ''),
    ('warning', sa.Text(), ''),
)
SOURCE_MAYBE = (
    ('budget', sa.Integer()),
    ('budget_left', sa.Integer()),
    ('newest_at', store.columns.Utc()),
    ('next_at', store.columns.Utc()),
    ('swept_at', store.columns.Utc()),
)


def upgrade() -> None:
    with op.batch_alter_table('items', schema=None) as batch_op:
        batch_op.add_column(sa.Column('thread', STRING, nullable=False, server_default=''))
        batch_op.add_column(sa.Column('gone_at', store.columns.Utc(), nullable=True))
    with op.batch_alter_table('sources', schema=None) as batch_op:
        for name, kind, default in SOURCE:
            batch_op.add_column(sa.Column(name, kind, nullable=False, server_default=default))
        for name, kind in SOURCE_MAYBE:
            batch_op.add_column(sa.Column(name, kind, nullable=True))
    op.create_table('photos',
    sa.Column('item_id', BIG, autoincrement=False, nullable=False),
    sa.Column('n', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('channel', STRING, nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('state', STRING, nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('due_at', store.columns.Utc(), nullable=False),
    sa.Column('created_at', store.columns.Utc(), nullable=False),
    sa.Column('error', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('item_id', 'n')
    )
    op.create_index('ix_photos_due', 'photos', ['state', 'due_at'], unique=False)
    op.create_table('answers',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('item_id', BIG, autoincrement=False, nullable=False),
    sa.Column('mark', STRING, nullable=False),
    sa.Column('channel', STRING, nullable=False),
    sa.Column('stage', STRING, nullable=False),
    sa.Column('text', sa.Text(), server_default='', nullable=False),
    sa.Column('state', STRING, nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('due_at', store.columns.Utc(), nullable=False),
    sa.Column('created_at', store.columns.Utc(), nullable=False),
    sa.Column('ended_at', store.columns.Utc(), nullable=True),
    sa.Column('error', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('item_id', 'mark'),
    sqlite_autoincrement=True
    )
    op.create_index('ix_answers_due', 'answers', ['state', 'due_at'], unique=False)
    op.create_table('conversations',
    sa.Column('channel', STRING, nullable=False),
    sa.Column('author_key', STRING, nullable=False),
    sa.Column('item_id', BIG, autoincrement=False, nullable=False),
    sa.Column('state', sa.Text(), server_default='', nullable=False),
    sa.Column('updated_at', store.columns.Utc(), nullable=False),
    sa.PrimaryKeyConstraint('channel', 'author_key')
    )


def downgrade() -> None:
    op.drop_table('conversations')
    op.drop_table('answers')
    op.drop_table('photos')
    with op.batch_alter_table('sources', schema=None) as batch_op:
        for name, *_ in (*SOURCE, *SOURCE_MAYBE):
            batch_op.drop_column(name)
    with op.batch_alter_table('items', schema=None) as batch_op:
        batch_op.drop_column('gone_at')
        batch_op.drop_column('thread')
