"""places and learning

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import store.columns


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

ADDED = {
    'verdicts': (
        ('teach', sa.Float(), '0'),
        ('area', sqlmodel.sql.sqltypes.AutoString(), ''),
        ('point', sa.Text(), ''),
        ('placed', sa.Float(), '0'),
    ),
    'cases': (('point', sa.Text(), ''), ('teach', sa.Float(), '0')),
    'corrections': (('predicted', sa.Text(), '{}'),),
}


def upgrade() -> None:
    for table, columns in ADDED.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name, kind, default in columns:
                batch_op.add_column(sa.Column(name, kind, nullable=False, server_default=default))
    op.create_table('shadow_verdicts',
    sa.Column('item_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('model', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('beside', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('problems', sa.Text(), server_default='[]', nullable=False),
    sa.Column('campaigns', sa.Text(), server_default='[]', nullable=False),
    sa.Column('decision', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('agrees', sa.Boolean(), nullable=False),
    sa.Column('at', store.columns.Utc(), nullable=False),
    sa.PrimaryKeyConstraint('item_id', 'model')
    )
    with op.batch_alter_table('shadow_verdicts', schema=None) as batch_op:
        batch_op.create_index('ix_shadow_verdicts_model', ['model', 'at'], unique=False)


def downgrade() -> None:
    op.drop_table('shadow_verdicts')
    for table, columns in ADDED.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name, _, _ in columns:
                batch_op.drop_column(name)
