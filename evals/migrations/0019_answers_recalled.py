"""How many answers of a run were recalled, and which newest results are of such runs."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("evals", "0018_runs_in_full_and_by_state")]

    operations = [
        migrations.AddField(
            model_name="run",
            name="answers",
            field=models.PositiveBigIntegerField(
                blank=True,
                help_text="How many its workers gave, as they signed; empty until it is finished.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="recalled",
            field=models.PositiveBigIntegerField(
                db_default=0,
                default=0,
                help_text="How many of them its workers had from an earlier run, as far as one knows.",
            ),
        ),
        migrations.AddField(
            model_name="newestresult",
            name="is_recalled",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Whether the run computed nothing anew: any that did comes before it.",
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(state="succeeded", answers=None),
                fields=["id"],
                name="run_without_answers",
            ),
        ),
    ]
