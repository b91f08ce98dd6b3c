"""Files in the content-addressed store."""

from django.db import models
from django.utils import timezone


class Artefact(models.Model):
    """One stored file, named by the SHA-256 of its bytes; the bytes lie in the artefact store."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    size = models.PositiveBigIntegerField()
    media_type = models.CharField(max_length=80)
    stored_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.sha256
