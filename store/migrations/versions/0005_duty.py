"""duty: clocks, requests, returns, merges, ratings, supervision, assessment

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import store.columns


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
STRING = sqlmodel.sql.sqltypes.AutoString()
UTC = store.columns.Utc()

CASES = (
    ('notices', sa.Integer(), '0'),
    ('joint', sa.Boolean(), sa.false()),
    ('final', sa.Boolean(), sa.false()),
    ('returns', sa.Integer(), '0'),
    ('reworks', sa.Integer(), '0'),
    ('reopens', sa.Integer(), '0'),
)
CASES_MAYBE = (
    ('merged_into', BIG),
    ('relapse_of', BIG),
    ('signed_at', UTC),
    ('handled_at', UTC),
    ('verified_at', UTC),
    ('wanted_at', UTC),
    ('promise_at', UTC),
    ('stage_due_at', UTC),
)
ORDERS = (
    ('rule', STRING, ''),
    ('clock', sa.Text(), ''),
    ('extensions', sa.Integer(), '0'),
    ('reworks', sa.Integer(), '0'),
)
ORDERS_MAYBE = (
    ('sign_due_at', UTC),
    ('leaves_at', UTC),
    ('handled_at', UTC),
    ('watch_at', UTC),
)
EVENTS = (
    ('version', sa.Integer(), '0'),
    ('reason', STRING, ''),
    ('undo', sa.Text(), ''),
)
ADDED = (
    ('items', (), (('wanted_at', UTC),)),
    ('cases', CASES, CASES_MAYBE),
    ('work_orders', ORDERS, ORDERS_MAYBE),
    ('events', EVENTS, (('order_id', BIG),)),
)


def key(name: str = 'id') -> sa.Column:
    return sa.Column(name, BIG, autoincrement=True, nullable=False)


def upgrade() -> None:
    for table, given, maybe in ADDED:
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name, kind, default in given:
                batch_op.add_column(sa.Column(name, kind, nullable=False, server_default=default))
            for name, kind in maybe:
                batch_op.add_column(sa.Column(name, kind, nullable=True))
    op.execute("UPDATE cases SET notices = decision_seq * 2")
    op.execute("UPDATE work_orders SET leaves_at = dispatched_at")
    op.execute("UPDATE work_orders SET handled_at = ended_at WHERE status = 'handled'")
    op.execute(
        "UPDATE work_orders SET watch_at = dispatched_at WHERE status IN ('assigned', 'signed')"
    )
    for name, table, column in (
        ('ix_cases_stage_due', 'cases', 'stage_due_at'),
        ('ix_work_orders_watch', 'work_orders', 'watch_at'),
    ):
        where = sa.text(f'{column} IS NOT NULL')
        op.create_index(
            name, table, [column], unique=False, sqlite_where=where, postgresql_where=where
        )
    op.create_table('merges',
    key(),
    sa.Column('case_id', BIG, nullable=False),
    sa.Column('into_id', BIG, nullable=False),
    sa.Column('before', STRING, nullable=False),
    sa.Column('actor', STRING, nullable=False),
    sa.Column('at', UTC, nullable=False),
    sa.Column('undone_at', UTC, nullable=True),
    sa.Column('undone_by', STRING, nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True
    )
    op.create_index(op.f('ix_merges_case_id'), 'merges', ['case_id'], unique=False)
    op.create_index(op.f('ix_merges_into_id'), 'merges', ['into_id'], unique=False)
    op.create_table('order_requests',
    key(),
    sa.Column('case_id', BIG, autoincrement=False, nullable=False),
    sa.Column('order_id', BIG, nullable=False),
    sa.Column('what', STRING, nullable=False),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.Column('amount', sa.Float(), nullable=False),
    sa.Column('unit', STRING, nullable=False),
    sa.Column('state', STRING, nullable=False),
    sa.Column('asked_by', STRING, nullable=False),
    sa.Column('asked_at', UTC, nullable=False),
    sa.Column('answered_by', STRING, nullable=False),
    sa.Column('answered_at', UTC, nullable=True),
    sa.Column('answer', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True
    )
    op.create_index(op.f('ix_order_requests_order_id'), 'order_requests', ['order_id'])
    op.create_index('ix_order_requests_state', 'order_requests', ['state'])
    op.create_table('order_returns',
    key(),
    sa.Column('case_id', BIG, nullable=False),
    sa.Column('order_id', BIG, autoincrement=False, nullable=False),
    sa.Column('department', STRING, nullable=False),
    sa.Column('rule', STRING, nullable=False),
    sa.Column('reason', STRING, nullable=False),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.Column('state', STRING, nullable=False),
    sa.Column('actor', STRING, nullable=False),
    sa.Column('at', UTC, nullable=False),
    sa.Column('judged_by', STRING, nullable=False),
    sa.Column('judged_at', UTC, nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True
    )
    op.create_index(op.f('ix_order_returns_case_id'), 'order_returns', ['case_id'])
    op.create_index('ix_order_returns_state', 'order_returns', ['state'])
    op.create_table('ratings',
    sa.Column('item_id', BIG, autoincrement=False, nullable=False),
    sa.Column('case_id', BIG, nullable=False),
    sa.Column('solved', STRING, nullable=False),
    sa.Column('satisfied', STRING, nullable=False),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.Column('via', STRING, nullable=False),
    sa.Column('actor', STRING, nullable=False),
    sa.Column('at', UTC, nullable=False),
    sa.PrimaryKeyConstraint('item_id')
    )
    op.create_index(op.f('ix_ratings_case_id'), 'ratings', ['case_id'])
    op.create_table('supervisions',
    key(),
    sa.Column('mark', STRING, nullable=False),
    sa.Column('number', STRING, nullable=False),
    sa.Column('level', STRING, nullable=False),
    sa.Column('case_id', BIG, nullable=False),
    sa.Column('order_id', BIG, nullable=True),
    sa.Column('department', STRING, nullable=False),
    sa.Column('addressee', STRING, nullable=False),
    sa.Column('copied_to', sa.Text(), server_default='[]', nullable=False),
    sa.Column('title', sa.Text(), server_default='', nullable=False),
    sa.Column('body', sa.Text(), server_default='', nullable=False),
    sa.Column('state', STRING, nullable=False),
    sa.Column('actor', STRING, nullable=False),
    sa.Column('at', UTC, nullable=False),
    sa.Column('reply_by', UTC, nullable=True),
    sa.Column('reply', sa.Text(), server_default='', nullable=False),
    sa.Column('replied_by', STRING, nullable=False),
    sa.Column('replied_at', UTC, nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('mark'),
    sqlite_autoincrement=True
    )
    op.create_index(op.f('ix_supervisions_case_id'), 'supervisions', ['case_id'])
    op.create_index('ix_supervisions_state', 'supervisions', ['state', 'reply_by'])
    op.create_table('tasks',
    key(),
    sa.Column('mark', STRING, nullable=False),
    sa.Column('kind', STRING, nullable=False),
    sa.Column('role', STRING, nullable=False),
    sa.Column('case_id', BIG, nullable=True),
    sa.Column('order_id', BIG, nullable=True),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.Column('at', UTC, nullable=False),
    sa.Column('done_at', UTC, nullable=True),
    sa.Column('done_by', STRING, nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('mark'),
    sqlite_autoincrement=True
    )
    op.create_index('ix_tasks_open', 'tasks', ['done_at', 'role'])
    op.create_table('assessments',
    sa.Column('month', STRING, nullable=False),
    sa.Column('by', STRING, nullable=False),
    sa.Column('unit', STRING, nullable=False),
    sa.Column('indicator', STRING, nullable=False),
    sa.Column('numerator', sa.Float(), nullable=False),
    sa.Column('denominator', sa.Float(), nullable=False),
    sa.Column('formula', sa.Text(), server_default='', nullable=False),
    sa.Column('frozen_at', UTC, nullable=False),
    sa.PrimaryKeyConstraint('month', 'by', 'unit', 'indicator')
    )


def downgrade() -> None:
    for table in ('assessments', 'tasks', 'supervisions', 'ratings', 'order_returns',
                  'order_requests', 'merges'):
        op.drop_table(table)
    op.drop_index('ix_work_orders_watch', table_name='work_orders')
    op.drop_index('ix_cases_stage_due', table_name='cases')
    for table, given, maybe in ADDED:
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name, *_ in (*given, *maybe):
                batch_op.drop_column(name)
