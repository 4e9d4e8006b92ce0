from django.db import connection
from django.test import TestCase, TransactionTestCase
from gallery.models import Artist, Artwork


def paint():
    """Sees nobody else's rows, and leaves some."""
    assert not Artist.objects.exists() and not Artwork.objects.exists()
    Artwork.objects.create(title="Untitled", artist=Artist.objects.create(name="Anonymous"))


class OneTest(TestCase):
    def test_one(self):
        paint()

    def test_its_schema(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = 'gallery_artist'::regclass")
            self.assertEqual(cursor.fetchone(), ("aura",))


class AnotherTest(TestCase):
    def test_another(self):
        paint()


class OfTransactionsTest(TransactionTestCase):
    def test_what_is_committed(self):
        paint()
