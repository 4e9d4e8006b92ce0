"""psycopg 3, which has libpq read the URL."""

from psycopg import connect
from psycopg.conninfo import conninfo_to_dict

from reader import answer, named


def read(url):
    said = conninfo_to_dict(url)
    return named(said["host"], said["port"], said["user"], said.get("password"), said["dbname"], said)


def ask(url, query):
    with connect(url) as connection:
        return connection.execute(query).fetchone()[0]


answer(read, ask)
