from django.db import models


class Artist(models.Model):
    name = models.TextField()


class Artwork(models.Model):
    title = models.TextField()
    artist = models.ForeignKey(Artist, on_delete=models.PROTECT)
