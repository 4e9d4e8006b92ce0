"""dj-database-url, and Django's own connection by what it makes of the URL."""

import dj_database_url
from django.conf import settings
from django.db.utils import ConnectionHandler

from reader import answer, named


def read(url):
    said = dj_database_url.parse(url)
    more = said.get("OPTIONS", {})
    return named(said["HOST"], said["PORT"], said["USER"], said["PASSWORD"], said["NAME"], more)


def ask(url, query):
    connection = ConnectionHandler({"default": dj_database_url.parse(url)})["default"]
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone()[0]
    finally:
        connection.close()


settings.configure(USE_TZ=True)
answer(read, ask)
