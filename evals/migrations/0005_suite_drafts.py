"""Add drafts of suite versions, which are on no record."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import evals.models


class Migration(migrations.Migration):
    dependencies = [
        ("evals", "0004_claims_keys_and_replication"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SuiteDraft",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "ref",
                    models.CharField(
                        default=evals.models.new_draft_ref, max_length=20, unique=True
                    ),
                ),
                (
                    "document",
                    models.JSONField(help_text="The suite document as far as it is written."),
                ),
                (
                    "uploads",
                    models.JSONField(
                        default=dict,
                        help_text="By task name: file name, columns, and the digest of the rows.",
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "base",
                    models.ForeignKey(
                        blank=True,
                        help_text="The version it was begun from, if any.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="evals.suiteversion",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["owner", "-updated_at"], name="draft_by_owner")],
            },
        ),
    ]
