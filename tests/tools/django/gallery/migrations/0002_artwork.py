from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gallery", "0001_artist")]
    operations = [
        migrations.CreateModel(
            name="Artwork",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.TextField()),
                ("artist", models.ForeignKey(on_delete=models.PROTECT, to="gallery.artist")),
            ],
        ),
    ]
