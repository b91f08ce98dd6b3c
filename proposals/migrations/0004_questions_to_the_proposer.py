"""Questions that the proposer answers before the text is final."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("proposals", "0003_recusals_and_delegations")]

    operations = [
        migrations.AddField(
            "comment",
            "is_question",
            models.BooleanField(
                default=False,
                help_text="Asked of the proposer, who answers before the text is final.",
            ),
        ),
        migrations.AddField(
            "comment",
            "answer",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="proposals.comment",
            ),
        ),
        migrations.AddConstraint(
            "comment",
            models.CheckConstraint(
                condition=models.Q(
                    ("answer__isnull", True), ("is_question", True), _connector="OR"
                ),
                name="comment_answers_a_question",
            ),
        ),
    ]
