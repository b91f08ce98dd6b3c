"""Tables of the accounts floor: who can act, for whom, until when."""

import secrets

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from oversight.accounts.choices import BodyRole, NoticeKind, OrganisationRole, Scope
from oversight.accounts.queries import (
    AffiliationQuerySet,
    ApiKeyQuerySet,
    MembershipQuerySet,
    NoticeQuerySet,
    PersonManager,
)
from oversight.web.written import MAX_CODE

DIGEST_HOUR = 7
"""When the daily mail goes out unless a person says otherwise."""


def new_public_id() -> str:
    """Return 16 random hexadecimal digits: a name for the record that says nothing of a person."""
    return secrets.token_hex(8)


class Person(AbstractBaseUser, PermissionsMixin):
    """One human with an account. The record knows a person only by `public_id`."""

    email = models.EmailField(unique=True)
    display_name = models.CharField(
        "name shown to others", max_length=80, help_text="Shown beside what you write and vote."
    )
    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    is_auditor = models.BooleanField(default=False, help_text="Reads what is restricted.")
    is_system = models.BooleanField(
        default=False, help_text="Stands for this machine's shell or clock; cannot sign in."
    )
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["display_name"]
    objects = PersonManager()

    class Meta:
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return self.display_name or f"person {self.public_id[:6]}"

    @property
    def actor(self) -> str:
        """The person as the record names them."""
        return f"person:{self.public_id}"


class Organisation(models.Model):
    """One organisation that evaluates, operates, or hosts workers."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    website = models.URLField(blank=True)
    admitted_at = models.DateTimeField(default=timezone.now)
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def subject(self) -> str:
        """The organisation as the record names it."""
        return f"organisation:{self.slug}"


class Body(models.Model):
    """One council, assembly, jury or board that decides."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    summary = models.CharField(max_length=400, blank=True)
    time_zone = models.CharField(max_length=60, default="Europe/Zurich")
    language = models.CharField(
        max_length=MAX_CODE,
        default=settings.LANGUAGE_CODE,
        help_text="It works in this one: of its texts where nobody says otherwise.",
    )
    founded_at = models.DateTimeField(default=timezone.now)
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "bodies"

    def __str__(self) -> str:
        return self.name

    @property
    def subject(self) -> str:
        """The body as the record names it."""
        return f"body:{self.slug}"


class Membership(models.Model):
    """One term of one person in one body, with the weight of their vote."""

    body = models.ForeignKey(Body, models.PROTECT, related_name="memberships")
    person = models.ForeignKey(Person, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=BodyRole.choices, default=BodyRole.MEMBER)
    weight = models.PositiveIntegerField(default=1)
    starts_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True, blank=True)
    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    leaf_id = models.UUIDField(unique=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="membership_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(role=BodyRole.CLERK, weight=0)
                | (~Q(role=BodyRole.CLERK) & Q(weight__gt=0)),
                name="membership_weight_fits_role",
            ),
            # Two open seats would put one person on a roll twice.
            models.UniqueConstraint(
                fields=["body", "person"],
                condition=Q(ends_at__isnull=True) & ~Q(role=BodyRole.CLERK),
                name="membership_one_open_seat",
            ),
            models.UniqueConstraint(
                fields=["body", "person"],
                condition=Q(ends_at__isnull=True, role=BodyRole.CLERK),
                name="membership_one_open_clerkship",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} in {self.body}"

    @property
    def role_word(self) -> str:
        """What the person is in the body, in one word."""
        return self.get_role_display()

    @property
    def actor(self) -> str:
        """The member as the record names them: a seat, not a person."""
        return f"member:{self.public_id}"


class Affiliation(models.Model):
    """One person's right to act for one organisation in one role."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="affiliations")
    person = models.ForeignKey(Person, models.PROTECT, related_name="affiliations")
    role = models.CharField(max_length=10, choices=OrganisationRole.choices)
    starts_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True, blank=True)
    leaf_id = models.UUIDField(unique=True)

    objects = AffiliationQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "person", "role"],
                condition=Q(ends_at__isnull=True),
                name="affiliation_one_open_term",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}, {self.role} of {self.organisation}"


class EvaluatorAdmission(models.Model):
    """One decision of a body by which an organisation is its evaluator."""

    body = models.ForeignKey(Body, models.PROTECT, related_name="evaluators")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="admissions")
    decision_ref = models.CharField(max_length=12, unique=True)
    admitted_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["admitted_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["body", "organisation"],
                condition=Q(ended_at__isnull=True),
                name="evaluator_admitted_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation}, evaluator of {self.body}"


class ApiKey(models.Model):
    """One secret that lets a program act for a person; only its hash is stored."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope.choices), default=list)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class KeptAnswer(models.Model):
    """What a write of the network API under an `Idempotency-Key` was answered, for a day.

    Without a status it is not answered yet, or was cut off.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    caller = models.CharField(max_length=40, help_text="The API key or the person who wrote.")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(
        max_length=64, blank=True, help_text="Of the request; none of one that is answered once."
    )
    begun_at = models.DateTimeField(default=timezone.now, db_index=True)
    status = models.PositiveSmallIntegerField(null=True)
    content = models.BinaryField(null=True)
    content_type = models.CharField(max_length=120, blank=True)
    location = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["caller", "key"], name="one_answer_a_key"),
        ]

    def __str__(self) -> str:
        return f"{self.caller} {self.status or 'open'}"


class OneTimeLink(models.Model):
    """One link that works once; its secret is stored hashed."""

    purpose = models.CharField(max_length=30)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.purpose}, until {self.expires_at:%d %b %Y %H:%M}"


class Notice(models.Model):
    """One thing to tell a person: a line of their list, and the outbox of mail.

    Written with the act, sent afterwards. `mail_at` is when its mail is due; notices of one person
    that are due together go out as one mail. Without it there is no mail, only the line.
    """

    person = models.ForeignKey(Person, models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=16, choices=NoticeKind.choices, default=NoticeKind.OTHER)
    body = models.ForeignKey(Body, models.PROTECT, null=True, blank=True, related_name="+")
    about = models.CharField(
        max_length=80, blank=True, help_text="Reference of its matter; a digest folds by it."
    )
    subject = models.CharField(max_length=160)
    text = models.TextField()
    path = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)
    mail_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    failed_attempts = models.PositiveSmallIntegerField(default=0)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [
            # The sender's sweep: whose mail is due, longest first.
            models.Index(
                fields=["mail_at"],
                condition=Q(sent_at__isnull=True, mail_at__isnull=False),
                name="notice_unsent",
            ),
            # A person's own list, newest first.
            models.Index(fields=["person", "-created_at"], name="notice_by_person"),
        ]

    def __str__(self) -> str:
        return self.subject


class NoticeSettings(models.Model):
    """How one person wants to be told; who has no row is told as the defaults say."""

    person = models.OneToOneField(
        Person, models.CASCADE, primary_key=True, related_name="notice_settings"
    )
    gets_mail = models.BooleanField(default=True)
    digest_hour = models.PositiveSmallIntegerField(default=DIGEST_HOUR)
    time_zone = models.CharField(
        max_length=60, blank=True, help_text="Empty: that of the body in which the person sits."
    )
    language = models.CharField(max_length=12, default="en")

    class Meta:
        verbose_name_plural = "notice settings"
        constraints = [
            models.CheckConstraint(condition=Q(digest_hour__lt=24), name="notice_hour_of_a_day")
        ]

    def __str__(self) -> str:
        return f"Notices of {self.person}"


class ImmediateKind(models.Model):
    """One kind of notice that a person wants by mail at once: from one body, or from all."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="immediate_kinds")
    kind = models.CharField(max_length=16, choices=NoticeKind.choices)
    body = models.ForeignKey(Body, models.CASCADE, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "kind", "body"],
                nulls_distinct=False,
                name="immediate_kind_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.kind} of {self.body or 'every body'}"
