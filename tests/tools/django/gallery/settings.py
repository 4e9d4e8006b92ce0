"""Settings that take the URL whole, its options included."""

import dj_database_url

INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "gallery"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SECRET_KEY = "of a test"
USE_TZ = True
DATABASES = {"default": dj_database_url.config()}
TEST_RUNNER = "tests.clone.CloneRunner"
