from os import environ

from alembic import context
from sqlalchemy import create_engine, make_url

from models import Base

# Not by way of alembic.ini, where the `%` of an encoded password begins an interpolation.
engine = create_engine(make_url(environ["DATABASE_URL"]).set(drivername="postgresql+psycopg"))
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()
