"""SQLAlchemy's make_url, and an engine of the drivername that is this program's argument."""

import sys

from sqlalchemy import create_engine, make_url

from reader import answer, named


def read(url):
    said = make_url(url)
    return named(said.host, said.port, said.username, said.password, said.database, said.query)


def ask(url, query):
    engine = create_engine(make_url(url).set(drivername=sys.argv[1]))
    try:
        with engine.connect() as connection:
            return connection.exec_driver_sql(query).scalar_one()
    finally:
        engine.dispose()


answer(read, ask)
