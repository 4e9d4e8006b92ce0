"""Django's own runner on a clone that `cargo xtask db-clone` made: it makes and drops no database."""

from django.conf import settings
from django.test.runner import DiscoverRunner


def is_clone():
    """Whether the database may be written to: tests of transactions empty every table."""
    return "_clone_" in settings.DATABASES["default"].get("NAME", "")


class CloneRunner(DiscoverRunner):
    def setup_databases(self, **kwargs):
        if not is_clone():
            raise SystemExit("DATABASE_URL leads to no clone: url=$(cargo xtask db-clone NAME)")

    def teardown_databases(self, old_config, **kwargs):
        pass
