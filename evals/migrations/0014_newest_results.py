"""What each model version scored newest, filled from the results that are there."""

import django.db.models.deletion
from django.db import migrations, models

# As `evals.services.newest` had it then.
FILL = """
    INSERT INTO evals_newestresult (
        model_version_id, suite_version_id, task_name, metric, is_headline, run_id,
        requested_at, finished_at, n, mean, stderr, low, high, method
    )
    SELECT DISTINCT ON (run.model_version_id, run.suite_version_id, part.task_name, row.metric)
        run.model_version_id, run.suite_version_id, part.task_name, row.metric,
        row.metric = task.metric, run.id, run.requested_at, run.finished_at,
        row.n, row.mean, row.stderr, row.low, row.high, row.method
    FROM evals_run AS run
    JOIN evals_taskrun AS part ON part.run_id = run.id
    JOIN evals_aggregate AS row ON row.task_run_id = part.id AND row."group" = ''
    JOIN LATERAL (
        SELECT entry ->> 'metric' AS metric
        FROM evals_suiteversion AS asked, jsonb_array_elements(asked.document -> 'tasks') AS entry
        WHERE asked.id = run.suite_version_id AND entry ->> 'name' = part.task_name
    ) AS task ON true
    WHERE run.state = 'succeeded' AND run.settings -> 'limit' = 'null'
    ORDER BY run.model_version_id, run.suite_version_id, part.task_name, row.metric,
        run.requested_at DESC, run.id DESC
"""


class Migration(migrations.Migration):
    dependencies = [
        ("evals", "0013_bodies_told_of_alarms"),
        ("registry", "0007_models_by_name"),
    ]

    operations = [
        migrations.CreateModel(
            name="NewestResult",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("task_name", models.CharField(max_length=80)),
                ("metric", models.CharField(max_length=60)),
                (
                    "is_headline",
                    models.BooleanField(help_text="Whether this metric judges the task."),
                ),
                (
                    "requested_at",
                    models.DateTimeField(help_text="Of the run: the newest one counts."),
                ),
                ("finished_at", models.DateTimeField()),
                ("n", models.PositiveIntegerField()),
                ("mean", models.FloatField()),
                ("stderr", models.FloatField(null=True)),
                ("low", models.FloatField(null=True)),
                ("high", models.FloatField(null=True)),
                ("method", models.CharField(max_length=40)),
                (
                    "model_version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.modelversion",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="evals.run",
                    ),
                ),
                (
                    "suite_version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="evals.suiteversion",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("is_headline", True)),
                        fields=["suite_version", "task_name", "mean"],
                        name="newest_result_of_task",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("model_version", "suite_version", "task_name", "metric"),
                        name="newest_result_once",
                    )
                ],
            },
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
