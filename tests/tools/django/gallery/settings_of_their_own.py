"""Settings that put a path of their own in the place of the URL's options."""

from gallery.settings import *  # noqa: F403
from gallery.settings import DATABASES

DATABASES["default"]["OPTIONS"] = {"options": "-c search_path=public"}
