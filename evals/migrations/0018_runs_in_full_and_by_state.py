"""A suite's history and the numbers of runs, without looking at every run there ever was."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("evals", "0017_fill_usage_sums")]

    operations = [
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                fields=["suite_version", "-requested_at", "-id"],
                condition=models.Q(state="succeeded", settings__limit=None),
                name="run_in_full_of_suite",
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["state"], name="run_by_state"),
        ),
    ]
