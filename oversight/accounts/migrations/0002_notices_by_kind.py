import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def send_what_waits(apps, _schema_editor):
    """Let what stood in the outbox go out at the next sweep, as it was promised to."""
    notices = apps.get_model("accounts", "Notice").objects.filter(sent_at__isnull=True)
    notices.update(mail_at=models.F("created_at"))


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ImmediateKind",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("vote_closing", "a vote closes within 24 hours and waits for you"),
                            ("vote_opened", "a vote opens with you on the roll"),
                            ("tie", "a tie waits for your casting vote"),
                            ("decision", "a vote has ended"),
                            ("question", "somebody asks you"),
                            ("answer", "somebody answers you"),
                            ("mention", "somebody mentions you"),
                            ("comment", "a comment on what you proposed"),
                            ("amendment", "an amendment to what you proposed"),
                            ("stage", "a proposal moves on"),
                            ("delegation", "somebody delegates their vote to you"),
                            ("reminder", "a time runs out: a sunset, a review"),
                            ("other", "anything else"),
                        ],
                        max_length=16,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="NoticeSettings",
            fields=[
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="notice_settings",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("gets_mail", models.BooleanField(default=True)),
                ("digest_hour", models.PositiveSmallIntegerField(default=7)),
                (
                    "time_zone",
                    models.CharField(
                        blank=True,
                        help_text="Empty: that of the body in which the person sits.",
                        max_length=60,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "notice settings",
            },
        ),
        migrations.RemoveIndex(
            model_name="notice",
            name="notice_unsent",
        ),
        migrations.AddField(
            model_name="notice",
            name="about",
            field=models.CharField(
                blank=True,
                help_text="Reference of its matter; a digest folds by it.",
                max_length=80,
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="body",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.body",
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("vote_closing", "a vote closes within 24 hours and waits for you"),
                    ("vote_opened", "a vote opens with you on the roll"),
                    ("tie", "a tie waits for your casting vote"),
                    ("decision", "a vote has ended"),
                    ("question", "somebody asks you"),
                    ("answer", "somebody answers you"),
                    ("mention", "somebody mentions you"),
                    ("comment", "a comment on what you proposed"),
                    ("amendment", "an amendment to what you proposed"),
                    ("stage", "a proposal moves on"),
                    ("delegation", "somebody delegates their vote to you"),
                    ("reminder", "a time runs out: a sunset, a review"),
                    ("other", "anything else"),
                ],
                default="other",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="mail_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="notice",
            name="read_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="scopes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("runs:write", "start and cancel evaluation runs"),
                        ("suites:write", "publish suites"),
                        ("registry:write", "register models, endpoints and deployments"),
                        ("proposals:write", "propose, comment and move stages"),
                        ("votes:cast", "cast ballots"),
                        (
                            "notices:own",
                            "read your notices and open votes, and say how you are told",
                        ),
                    ],
                    max_length=20,
                ),
                default=list,
                size=None,
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("mail_at__isnull", False), ("sent_at__isnull", True)),
                fields=["mail_at"],
                name="notice_unsent",
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(fields=["person", "-created_at"], name="notice_by_person"),
        ),
        migrations.AddField(
            model_name="immediatekind",
            name="body",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.body",
            ),
        ),
        migrations.AddField(
            model_name="immediatekind",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="immediate_kinds",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="noticesettings",
            constraint=models.CheckConstraint(
                condition=models.Q(("digest_hour__lt", 24)), name="notice_hour_of_a_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="immediatekind",
            constraint=models.UniqueConstraint(
                fields=("person", "kind", "body"), name="immediate_kind_once", nulls_distinct=False
            ),
        ),
        migrations.RunPython(send_what_waits, migrations.RunPython.noop),
    ]
