"""Settings that build the connection from the URL's parts, and throw its options away."""

import os
from urllib.parse import unquote, urlsplit

from gallery.settings import *  # noqa: F403

url = urlsplit(os.environ["DATABASE_URL"])
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path[1:]),
        "USER": unquote(url.username),
        "PASSWORD": unquote(url.password),
        "HOST": url.hostname,
        "PORT": url.port,
    }
}
