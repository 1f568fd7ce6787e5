"""the desk: claims, presence, saved views, canned texts, notes, photos of results, second factors

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import store.columns


revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
STRING = sqlmodel.sql.sqltypes.AutoString()
UTC = store.columns.Utc()

CASES = (('split_from', BIG), ('snoozed_until', UTC))
PARTIAL = (('ix_cases_snoozed', 'snoozed_until'), ('ix_cases_split', 'split_from'))
USERS = (
    ('totp_step', sa.Integer(), '0'),
    ('external', STRING, ''),
    ('settings', sa.Text(), '{}'),
    ('recovery', sa.Text(), '[]'),
)
SESSIONS = (('via', 'password'), ('address', ''))


def key() -> sa.Column:
    return sa.Column('id', BIG, autoincrement=True, nullable=False)


def upgrade() -> None:
    with op.batch_alter_table('cases', schema=None) as batch_op:
        for name, kind in CASES:
            batch_op.add_column(sa.Column(name, kind, nullable=True))
        batch_op.add_column(sa.Column('alike', sa.Boolean(), nullable=False, server_default=sa.false()))
        for name, column in PARTIAL:
            where = sa.text(f'{column} IS NOT NULL')
            batch_op.create_index(name, [column], sqlite_where=where, postgresql_where=where)
    with op.batch_alter_table('items', schema=None) as batch_op:
        batch_op.add_column(sa.Column('part_of', BIG, nullable=True))
    with op.batch_alter_table('users', schema=None) as batch_op:
        batch_op.add_column(sa.Column('totp', sa.LargeBinary(), nullable=True))
        for name, kind, default in USERS:
            batch_op.add_column(sa.Column(name, kind, nullable=False, server_default=default))
    with op.batch_alter_table('order_returns', schema=None) as batch_op:
        batch_op.add_column(sa.Column('proposed', sa.Text(), server_default='', nullable=False))
    op.create_index('ix_audit_actor', 'audit', ['actor', 'id'], unique=False)
    with op.batch_alter_table('sessions', schema=None) as batch_op:
        for name, default in SESSIONS:
            batch_op.add_column(sa.Column(name, STRING, nullable=False, server_default=default))
    op.create_table('login_addresses',
    sa.Column('address', STRING, nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('since', UTC, nullable=False),
    sa.Column('locked_until', UTC, nullable=True),
    sa.PrimaryKeyConstraint('address')
    )
    op.create_table('departures',
    sa.Column('state_sha', STRING, nullable=False),
    sa.Column('ends_at', UTC, nullable=False),
    sa.PrimaryKeyConstraint('state_sha')
    )
    op.create_table('claims',
    sa.Column('case_id', BIG, autoincrement=False, nullable=False),
    sa.Column('user', STRING, nullable=False),
    sa.Column('kept', sa.Boolean(), nullable=False),
    sa.Column('since', UTC, nullable=False),
    sa.Column('until', UTC, nullable=False),
    sa.PrimaryKeyConstraint('case_id')
    )
    op.create_table('presences',
    sa.Column('user', STRING, nullable=False),
    sa.Column('case_id', BIG, nullable=True),
    sa.Column('idle', sa.Boolean(), nullable=False),
    sa.Column('at', UTC, nullable=False),
    sa.PrimaryKeyConstraint('user')
    )
    op.create_table('saved_views',
    key(),
    sa.Column('owner', STRING, nullable=False),
    sa.Column('name', STRING, nullable=False),
    sa.Column('query', sa.Text(), server_default='', nullable=False),
    sa.Column('shared', sa.Boolean(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('at', UTC, nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True
    )
    op.create_table('canned_texts',
    key(),
    sa.Column('purpose', STRING, nullable=False),
    sa.Column('title', STRING, nullable=False),
    sa.Column('text', sa.Text(), server_default='', nullable=False),
    sa.Column('owner', STRING, nullable=False),
    sa.Column('at', UTC, nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True
    )
    op.create_table('case_notes',
    key(),
    sa.Column('case_id', BIG, nullable=False),
    sa.Column('actor', STRING, nullable=False),
    sa.Column('text', sa.Text(), server_default='', nullable=False),
    sa.Column('at', UTC, nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True
    )
    op.create_index(op.f('ix_case_notes_case_id'), 'case_notes', ['case_id'], unique=False)
    op.create_table('order_photos',
    sa.Column('order_id', BIG, autoincrement=False, nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('case_id', BIG, nullable=False),
    sa.Column('stage', STRING, nullable=False),
    sa.Column('content_type', STRING, nullable=False),
    sa.Column('width', sa.Integer(), nullable=False),
    sa.Column('height', sa.Integer(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('actor', STRING, nullable=False),
    sa.Column('at', UTC, nullable=False),
    sa.PrimaryKeyConstraint('order_id', 'n')
    )
    op.create_index(op.f('ix_order_photos_case_id'), 'order_photos', ['case_id'], unique=False)


def downgrade() -> None:
    for table in ('order_photos', 'case_notes', 'canned_texts', 'saved_views', 'presences', 'claims'):
        op.drop_table(table)
    op.drop_index('ix_audit_actor', table_name='audit')
    with op.batch_alter_table('order_returns', schema=None) as batch_op:
        batch_op.drop_column('proposed')
    for table in ('departures', 'login_addresses'):
        op.drop_table(table)
    with op.batch_alter_table('sessions', schema=None) as batch_op:
        for name, _ in SESSIONS:
            batch_op.drop_column(name)
    with op.batch_alter_table('users', schema=None) as batch_op:
        batch_op.drop_column('totp')
        for name, *_ in USERS:
            batch_op.drop_column(name)
    with op.batch_alter_table('items', schema=None) as batch_op:
        batch_op.drop_column('part_of')
    with op.batch_alter_table('cases', schema=None) as batch_op:
        for name, _ in PARTIAL:
            batch_op.drop_index(name)
        batch_op.drop_column('alike')
        for name, _ in CASES:
            batch_op.drop_column(name)
