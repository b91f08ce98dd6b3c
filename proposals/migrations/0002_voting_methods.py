"""Options of elections, ballots of every method, lots, and the chair's casting vote."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import JSONObject


def fill_content(apps, schema_editor):  # noqa: ARG001
    """Write into earlier ballots what their leaves commit to."""
    apps.get_model("proposals", "Ballot").objects.update(
        content=JSONObject(choice=models.F("choice"))
    )


class Migration(migrations.Migration):
    dependencies = [("proposals", "0001_initial")]

    operations = [
        migrations.AddField(
            "revision",
            "options",
            models.JSONField(blank=True, default=list, help_text="What an election is about."),
        ),
        migrations.AddField(
            "revision",
            "seats",
            models.PositiveSmallIntegerField(default=0, help_text="How many are to be chosen."),
        ),
        migrations.AddField(
            "contract",
            "lot_seed",
            models.CharField(
                blank=True,
                default="",
                help_text="Revealed after the close; the log holds its digest.",
                max_length=64,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "contract",
            "casting_until",
            models.DateTimeField(
                blank=True,
                help_text="Set when the vote is tied: the chair decides until then.",
                null=True,
            ),
        ),
        migrations.AlterField(
            "ballot",
            "choice",
            models.CharField(blank=True, help_text="For motions: its word.", max_length=8),
        ),
        migrations.AddField(
            "ballot",
            "content",
            models.JSONField(
                default=dict, help_text="What the leaf commits to (proposals.papers)."
            ),
            preserve_default=False,
        ),
        migrations.RunPython(fill_content, migrations.RunPython.noop),
        migrations.AlterField(
            "proposal",
            "type",
            models.CharField(
                choices=[
                    ("authorise_deployment", "authorise a model for a deployment"),
                    ("general_motion", "general motion (no effect on the registry)"),
                    (
                        "election",
                        "choose among options: an election, or versions of something",
                    ),
                ],
                max_length=24,
            ),
        ),
        migrations.AlterField(
            "decision",
            "outcome",
            models.CharField(
                choices=[
                    ("carried", "Carried"),
                    ("not_carried", "Not carried"),
                    ("tied", "Tied"),
                    ("no_quorum", "No quorum"),
                    ("elected", "Decided"),
                    ("no_votes", "No votes"),
                ],
                max_length=12,
            ),
        ),
        migrations.CreateModel(
            "CastingVote",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("names", models.JSONField()),
                ("given_at", models.DateTimeField()),
                ("leaf_id", models.UUIDField(unique=True)),
                (
                    "contract",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="casting_vote",
                        to="proposals.contract",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="proposals.rollentry",
                    ),
                ),
            ],
        ),
    ]
