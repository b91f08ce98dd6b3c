"""What hosts stated they used, as sums; the next migration fills them in."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("evals", "0015_runs_by_suite_and_version"),
        ("registry", "0007_models_by_name"),
    ]

    operations = [
        migrations.CreateModel(
            name="UsageSum",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("purpose", models.CharField(blank=True, max_length=60)),
                (
                    "resource_class",
                    models.CharField(choices=[("cpu", "CPU"), ("gpu", "GPU")], max_length=8),
                ),
                ("energy_method", models.CharField(blank=True, max_length=10)),
                (
                    "currency",
                    models.CharField(
                        blank=True, help_text="Empty: no cost was stated.", max_length=3
                    ),
                ),
                (
                    "runs",
                    models.PositiveIntegerField(
                        help_text="Those whose first result is counted here."
                    ),
                ),
                ("task_runs", models.PositiveIntegerField()),
                ("seconds", models.DecimalField(decimal_places=60, max_digits=130)),
                ("tokens", models.DecimalField(decimal_places=0, max_digits=40)),
                ("joules", models.DecimalField(decimal_places=60, max_digits=130)),
                ("money", models.DecimalField(decimal_places=60, max_digits=130)),
                ("last_at", models.DateTimeField(help_text="When the last of them was accepted.")),
                (
                    "model_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.modelversion",
                    ),
                ),
                (
                    "worker",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="evals.worker",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=(
                            "worker",
                            "model_version",
                            "purpose",
                            "resource_class",
                            "energy_method",
                            "currency",
                        ),
                        name="usage_summed_once",
                    )
                ],
            },
        ),
    ]
