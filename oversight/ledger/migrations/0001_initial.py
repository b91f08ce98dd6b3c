"""The tables of the record, and the sequence that orders pending leaves as they are written."""

import uuid

import django.db.models.functions.text
import django.db.models.lookups
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        # Only an order among pending leaves: it has gaps and is never an index of the log.
        migrations.RunSQL(
            "CREATE SEQUENCE ledger_pending_position AS bigint",
            "DROP SEQUENCE ledger_pending_position",
        ),
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("size", models.BigIntegerField(primary_key=True, serialize=False)),
                ("root", models.CharField(max_length=71)),
                ("note", models.TextField()),
                ("vkey", models.TextField()),
                ("signed_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Tile",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "level",
                        "index",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("level", models.PositiveSmallIntegerField()),
                ("index", models.BigIntegerField()),
                ("data", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="Head",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False),
                ),
                ("size", models.BigIntegerField()),
                ("root", models.CharField(max_length=71)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="ledger_head_is_one_row"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LedgerEntry",
            fields=[
                (
                    "body",
                    models.BinaryField(help_text="The exact bytes of the leaf: canonical JSON."),
                ),
                ("leaf_hash", models.CharField(max_length=71)),
                ("type", models.CharField(max_length=204)),
                ("actor", models.CharField(max_length=201)),
                ("subject", models.CharField(max_length=201)),
                ("index", models.BigIntegerField(primary_key=True, serialize=False)),
                ("leaf_id", models.UUIDField(unique=True)),
                ("sequenced_at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "ledger entries",
                "indexes": [
                    models.Index(fields=["leaf_hash"], name="ledger_entry_leaf_hash_idx"),
                    models.Index(
                        fields=["subject", "index"],
                        name="ledger_entry_subject_idx",
                        opclasses=["varchar_pattern_ops", "int8_ops"],
                    ),
                    models.Index(
                        fields=["actor", "index"],
                        name="ledger_entry_actor_idx",
                        opclasses=["varchar_pattern_ops", "int8_ops"],
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("index__gte", 0)), name="ledger_entry_index_is_a_count"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Opening",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("leaf_id", models.UUIDField()),
                ("field", models.CharField(max_length=80)),
                ("salt", models.BinaryField()),
                ("value", models.JSONField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("leaf_id", "field"), name="ledger_opening_is_single"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PendingLeaf",
            fields=[
                (
                    "body",
                    models.BinaryField(help_text="The exact bytes of the leaf: canonical JSON."),
                ),
                ("leaf_hash", models.CharField(max_length=71)),
                ("type", models.CharField(max_length=204)),
                ("actor", models.CharField(max_length=201)),
                ("subject", models.CharField(max_length=201)),
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "position",
                    models.BigIntegerField(
                        db_default=models.Func(
                            models.Value("ledger_pending_position"),
                            function="nextval",
                            output_field=models.BigIntegerField(),
                        ),
                        editable=False,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name_plural": "pending leaves",
                "indexes": [models.Index(fields=["position"], name="ledger_pending_position_idx")],
                "constraints": [
                    models.CheckConstraint(
                        condition=django.db.models.lookups.LessThan(
                            django.db.models.functions.text.Length("body"), 4096
                        ),
                        name="ledger_pendingleaf_is_short",
                    )
                ],
            },
        ),
    ]
