"""pytest-django on a clone that `cargo xtask db-clone` made: it makes and drops no database."""

import pytest
from tests.clone import is_clone


@pytest.fixture(scope="session")
def django_db_setup():
    if not is_clone():
        pytest.exit("DATABASE_URL leads to no clone: url=$(cargo xtask db-clone NAME)", returncode=1)
