"""Declared conflicts of interest, delegations, and what a frozen roll keeps of them."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("proposals", "0002_voting_methods"),
    ]

    operations = [
        migrations.AddField(
            "rollentry",
            "delegate",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="proposals.rollentry",
            ),
        ),
        migrations.AddField(
            "rollentry", "delegation_revoked_at", models.DateTimeField(blank=True, null=True)
        ),
        migrations.AddConstraint(
            "rollentry",
            models.CheckConstraint(
                condition=~models.Q(delegate=models.F("id")), name="roll_delegate_is_another"
            ),
        ),
        migrations.CreateModel(
            "Recusal",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reason", models.CharField(max_length=1000)),
                ("declared_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("leaf_id", models.UUIDField(unique=True)),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.membership",
                    ),
                ),
                (
                    "proposal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recusals",
                        to="proposals.proposal",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("proposal", "membership"), name="recusal_once_per_member"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            "Delegation",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("given_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("leaf_id", models.UUIDField(unique=True)),
                (
                    "giver",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.membership",
                    ),
                ),
                (
                    "receiver",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.membership",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at__isnull", True)),
                        fields=("giver",),
                        name="delegation_one_standing",
                    ),
                    models.CheckConstraint(
                        condition=~models.Q(giver=models.F("receiver")),
                        name="delegation_to_another",
                    ),
                ],
            },
        ),
    ]
