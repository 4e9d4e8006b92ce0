"""What the readers have in common: they are asked by lines of JSON, and answer by lines of JSON.

A question is a URL and, where the URL is to be connected by, a query for one value, which is JSON itself.
"""

import json
import sys


def answer(read, ask):
    """Answers every question: `read` says what the library takes a URL for, `ask` connects by it."""
    for line in sys.stdin:
        question = json.loads(line)
        answered = {}
        try:
            answered["parsed"] = read(question["url"])
            if question["query"]:
                answered["session"] = json.loads(ask(question["url"], question["query"]))
        except Exception as error:  # Whatever a library raises is its answer.
            answered["error"] = f"{type(error).__name__}: {error}"
        print(json.dumps(answered))


def named(host, port, user, password, database, more):
    """The parts of a URL under the names that every reader gives them; empty is not said."""
    parts = {"host": host, "port": port, "user": user, "password": password, "database": database}
    parts |= {name: more.get(name) for name in ("options", "application_name", "connect_timeout", "sslmode")}
    numbers = ("port", "connect_timeout")
    return {name: int(part) if part and name in numbers else part or None for name, part in parts.items()}
