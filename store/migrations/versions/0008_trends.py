"""trends: roll-ups and what marks them due, topics, bursts, alerts, bulletins, reports on targets

What may change a number is marked in ``tally_due`` by triggers, in the transaction that changes it, whoever does.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import store.columns


revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
STRING = sqlmodel.sql.sqltypes.AutoString()
UTC = store.columns.Utc()
PENDING = sa.text("state = 'pending'")

# name, table, event, columns of an update, what is due, by which column of the row
TRIGGERS = (
    ('verdict_new', 'verdicts', 'INSERT', '', 'item_id', 'item_id'),
    ('verdict_again', 'verdicts', 'UPDATE', 'kind, problems, campaigns, area, point', 'item_id', 'item_id'),
    ('item_again', 'items', 'UPDATE', 'title, text, posted_at, received_at, key', 'item_id', 'id'),
    ('case_item_new', 'case_items', 'INSERT', '', 'item_id', 'item_id'),
    ('case_item_again', 'case_items', 'UPDATE', 'case_id', 'item_id', 'item_id'),
    ('case_again', 'cases', 'UPDATE', 'version, status, kind, problems, campaigns, area, point', 'case_id', 'id'),
    ('order_again', 'work_orders', 'UPDATE', 'status, due_at, signed_at, handled_at', 'case_id', 'case_id'),
    ('rating_new', 'ratings', 'INSERT', '', 'case_id', 'case_id'),
    ('rating_again', 'ratings', 'UPDATE', 'solved, satisfied, at', 'case_id', 'case_id'),
    ('return_again', 'order_returns', 'UPDATE', 'state', 'case_id', 'case_id'),
)
TABLES = (
    'target_reports', 'topics', 'tally_due', 'tallied', 'item_days', 'count_notes', 'case_tallied', 'case_days',
    'bursts', 'bulletins', 'alerts',
)


def create_triggers() -> None:
    sqlite = op.get_bind().dialect.name == 'sqlite'
    for name, table, event, columns, due, key in TRIGGERS:
        of = f' OF {columns}' if columns else ''
        put = f'INSERT INTO tally_due ({due}) VALUES (NEW.{key})'
        head = f'CREATE TRIGGER tally_{name} AFTER {event}{of} ON {table} FOR EACH ROW'
        if sqlite:
            op.execute(f'{head} BEGIN {put}; END')
            continue
        op.execute(
            f'CREATE FUNCTION tally_{name}() RETURNS trigger LANGUAGE plpgsql AS '
            f'$$ BEGIN {put}; RETURN NULL; END $$'
        )
        op.execute(f'{head} EXECUTE FUNCTION tally_{name}()')


def upgrade() -> None:
    op.create_table('alerts',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('mark', STRING, nullable=False),
    sa.Column('official', STRING, nullable=False),
    sa.Column('endpoint', STRING, nullable=False),
    sa.Column('title', sa.Text(), server_default='', nullable=False),
    sa.Column('body', sa.Text(), server_default='', nullable=False),
    sa.Column('link', sa.Text(), server_default='', nullable=False),
    sa.Column('state', STRING, nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('due_at', UTC, nullable=False),
    sa.Column('created_at', UTC, nullable=False),
    sa.Column('ended_at', UTC, nullable=True),
    sa.Column('error', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('mark'),
    sqlite_autoincrement=True
    )
    op.create_index('ix_alerts_due', 'alerts', ['due_at'], sqlite_where=PENDING, postgresql_where=PENDING)
    op.create_table('bulletins',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('kind', STRING, nullable=False),
    sa.Column('period', STRING, nullable=False),
    sa.Column('part', sa.Integer(), nullable=False),
    sa.Column('number', STRING, nullable=False),
    sa.Column('title', sa.Text(), server_default='', nullable=False),
    sa.Column('state', STRING, nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('figures', sa.Text(), server_default='[]', nullable=False),
    sa.Column('content', sa.Text(), server_default='{}', nullable=False),
    sa.Column('as_of', UTC, nullable=False),
    sa.Column('made_by', STRING, nullable=False),
    sa.Column('made_at', UTC, nullable=False),
    sa.Column('edited_by', STRING, nullable=False),
    sa.Column('edited_at', UTC, nullable=True),
    sa.Column('signed_by', STRING, nullable=False),
    sa.Column('signed_at', UTC, nullable=True),
    sa.Column('sent_at', UTC, nullable=True),
    sa.Column('trail', sa.Text(), server_default='[]', nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True
    )
    op.create_index('ix_bulletins_period', 'bulletins', ['kind', 'period', 'part'], unique=True)
    op.create_table('bursts',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('label', STRING, nullable=False),
    sa.Column('area', STRING, nullable=False),
    sa.Column('start_day', sa.Integer(), nullable=False),
    sa.Column('last_day', sa.Integer(), nullable=False),
    sa.Column('observed', sa.Float(), nullable=False),
    sa.Column('expected', sa.Float(), nullable=False),
    sa.Column('excess', sa.Float(), nullable=False),
    sa.Column('voices', sa.Integer(), nullable=False),
    sa.Column('citizens', sa.Integer(), nullable=False),
    sa.Column('why', sa.Text(), server_default='{}', nullable=False),
    sa.Column('found_at', UTC, nullable=False),
    sa.Column('told_at', UTC, nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True
    )
    op.create_index('ix_bursts_day', 'bursts', ['last_day'])
    op.create_index('ix_bursts_series', 'bursts', ['label', 'area', 'start_day'], unique=True)
    op.create_table('case_days',
    sa.Column('measure', STRING, nullable=False),
    sa.Column('department', STRING, nullable=False),
    sa.Column('area', STRING, nullable=False),
    sa.Column('day', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('measure', 'department', 'area', 'day'),
    sqlite_with_rowid=False
    )
    op.create_table('case_tallied',
    sa.Column('case_id', BIG, autoincrement=False, nullable=False),
    sa.Column('first_day', sa.Integer(), nullable=False),
    sa.Column('last_day', sa.Integer(), nullable=False),
    sa.Column('parts', sa.Text(), server_default='[]', nullable=False),
    sa.PrimaryKeyConstraint('case_id')
    )
    op.create_index('ix_case_tallied_day', 'case_tallied', ['last_day', 'first_day'])
    op.create_table('count_notes',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('mark', STRING, nullable=False),
    sa.Column('kind', STRING, nullable=False),
    sa.Column('day', sa.Integer(), nullable=False),
    sa.Column('text', sa.Text(), server_default='', nullable=False),
    sa.Column('at', UTC, nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('mark'),
    sqlite_autoincrement=True
    )
    op.create_table('item_days',
    sa.Column('label', STRING, nullable=False),
    sa.Column('area', STRING, nullable=False),
    sa.Column('channel', STRING, nullable=False),
    sa.Column('day', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('label', 'area', 'channel', 'day'),
    sqlite_with_rowid=False
    )
    op.create_table('tallied',
    sa.Column('item_id', BIG, autoincrement=False, nullable=False),
    sa.Column('case_id', BIG, nullable=False),
    sa.Column('day', sa.Integer(), nullable=False),
    sa.Column('channel', STRING, nullable=False),
    sa.Column('area', STRING, nullable=False),
    sa.Column('labels', STRING, nullable=False),
    sa.Column('author_key', STRING, nullable=False),
    sa.PrimaryKeyConstraint('item_id')
    )
    op.create_index('ix_tallied_day', 'tallied', ['day', 'item_id'])
    op.create_table('tally_due',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('item_id', BIG, nullable=True),
    sa.Column('case_id', BIG, nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True
    )
    op.create_table('target_reports',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('target', STRING, nullable=False),
    sa.Column('value', sa.Float(), nullable=False),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.Column('cases', sa.Text(), server_default='[]', nullable=False),
    sa.Column('actor', STRING, nullable=False),
    sa.Column('at', UTC, nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True
    )
    op.create_index('ix_target_reports', 'target_reports', ['target', 'id'])
    op.create_table('topics',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('name', STRING, nullable=False),
    sa.Column('phrases', sa.Text(), server_default='[]', nullable=False),
    sa.Column('state', STRING, nullable=False),
    sa.Column('merged_into', BIG, nullable=True),
    sa.Column('first_day', sa.Integer(), nullable=False),
    sa.Column('sentence', sa.Text(), server_default='', nullable=False),
    sa.Column('told', sa.Text(), server_default='{}', nullable=False),
    sa.Column('score', sa.Float(), nullable=False),
    sa.Column('actor', STRING, nullable=False),
    sa.Column('at', UTC, nullable=False),
    sa.Column('updated_at', UTC, nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True
    )
    op.create_index('ix_topics_state', 'topics', ['state'])
    create_triggers()
    op.execute('INSERT INTO tally_due (item_id) SELECT item_id FROM verdicts')


def downgrade() -> None:
    for name, table, *_ in TRIGGERS:
        if op.get_bind().dialect.name == 'sqlite':
            op.execute(f'DROP TRIGGER tally_{name}')
        else:
            op.execute(f'DROP TRIGGER tally_{name} ON {table}')
            op.execute(f'DROP FUNCTION tally_{name}()')
    for table in TABLES:
        op.drop_table(table)
