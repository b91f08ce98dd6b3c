"""The only writer of the accounts floor: each function is one use case with its leaf."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from allauth.account.models import EmailAddress
from django.core.validators import slug_re
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext

from oversight.accounts import policy
from oversight.accounts.choices import BodyRole, Leaf, NoticeKind, OrganisationRole, Scope
from oversight.accounts.mail_times import languages_of, mail_times
from oversight.accounts.models import (
    Affiliation,
    ApiKey,
    Body,
    Membership,
    Notice,
    OneTimeLink,
    Organisation,
    Person,
)
from oversight.ledger import services as ledger
from oversight.web.clock import stamp
from oversight.web.languages import without_language
from oversight.web.refusals import Conflict, Invalid, NotAllowed

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

KEY_PREFIX = "osk_"
FIRST_ADMINISTRATOR = "first-administrator"


def digest_of_secret(secret: str) -> str:
    """Return the stored form of a secret; plain SHA-256 suffices for 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic(durable=True)
def register_person(
    *, email: str, display_name: str, password: str | None = None, is_auditor: bool = False
) -> Person:
    """Make an account whose e-mail counts as verified (an administrator vouches for it).

    Raises:
        Invalid: an account with this e-mail exists.
    """
    if Person.objects.filter(email=email.lower()).exists():
        raise Invalid(
            gettext("There is already an account with this e-mail."),
            fields={"email": gettext("Taken.")},
        )
    person = Person.objects.create_user(
        email, password, display_name=display_name, is_auditor=is_auditor
    )
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


def shell_person() -> Person:
    """Return the account under which commands on this machine act; it cannot sign in."""
    person, _ = Person.objects.get_or_create(
        email="shell@localhost",
        defaults={"display_name": "Operator of this machine", "is_system": True, "password": "!"},
    )
    return person


@transaction.atomic(durable=True)
def admit_organisation(*, by: Person, slug: str, name: str, website: str = "") -> Organisation:
    """Admit an organisation; it may then have evaluators, operators and workers."""
    _require_administrator(by)
    _require_slug(slug)
    if Organisation.objects.filter(slug=slug).exists():
        raise Conflict(
            gettext("There is already an organisation with the address name “%(slug)s”.")
            % {
                "slug": slug,
            }
        )
    leaf = ledger.append(
        type=Leaf.ORGANISATION_ADMITTED, actor=by.actor, subject=f"organisation:{slug}"
    )
    return Organisation.objects.create(slug=slug, name=name, website=website, leaf_id=leaf.id)


@transaction.atomic(durable=True)
def found_body(
    *, by: Person, slug: str, name: str, summary: str = "", time_zone: str = "Europe/Zurich"
) -> Body:
    """Found a body. It can decide once it has members and a charter."""
    _require_administrator(by)
    _require_slug(slug)
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        message = gettext("“%(time_zone)s” is no time zone: use a name such as Europe/Zurich.") % {
            "time_zone": time_zone,
        }
        raise Invalid(message, fields={"time_zone": message}) from None
    if Body.objects.filter(slug=slug).exists():
        raise Conflict(
            gettext("There is already a body with the address name “%(slug)s”.")
            % {
                "slug": slug,
            }
        )
    leaf = ledger.append(
        type=Leaf.BODY_FOUNDED,
        actor=by.actor,
        subject=f"body:{slug}",
        facts={"time_zone": time_zone},
    )
    return Body.objects.create(
        slug=slug, name=name, summary=summary, time_zone=time_zone, leaf_id=leaf.id
    )


@transaction.atomic(durable=True)
def appoint(
    *,
    by: Person,
    body: Body,
    person: Person,
    role: BodyRole = BodyRole.MEMBER,
    weight: int = 1,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> Membership:
    """Appoint a person to a body for a term. Rolls already frozen do not change.

    Raises:
        Conflict: the person already has such a term at that time.
        Invalid: the weight or the term makes no sense.
    """
    _require_administrator(by)
    starts = starts_at or timezone.now()
    if ends_at is not None and ends_at <= starts:
        raise Invalid(
            gettext("The term ends before it begins."),
            fields={"ends_at": gettext("After the start.")},
        )
    if role != BodyRole.CLERK and not 1 <= weight <= 1_000_000:
        raise Invalid(
            gettext("A vote weighs 1 to 1,000,000."),
            fields={"weight": gettext("Use 1 to 1,000,000.")},
        )
    # The lock on the body makes two appointments of one person wait for each other.
    Body.objects.select_for_update().get(pk=body.pk)
    terms = Membership.objects.filter(body=body, person=person).overlapping(starts, ends_at)
    same = terms.clerks() if role == BodyRole.CLERK else terms.voting()
    if same.exists():
        raise Conflict(
            gettext("%(person)s already has a term in %(body)s that overlaps with this one.")
            % {
                "person": person,
                "body": body,
            }
        )
    seat = Membership(
        body=body,
        person=person,
        role=role,
        weight=0 if role == BodyRole.CLERK else weight,
        starts_at=starts,
        ends_at=ends_at,
    )
    leaf = ledger.append(
        type=Leaf.MEMBER_APPOINTED,
        actor=by.actor,
        subject=body.subject,
        facts={
            "member": seat.actor,
            "person": person.actor,
            "role": str(role),
            "weight": seat.weight,
            "starts_at": stamp(starts),
            "ends_at": stamp(ends_at) if ends_at else None,
        },
    )
    seat.leaf_id = leaf.id
    seat.save()
    return seat


@transaction.atomic(durable=True)
def end_membership(*, by: Person, membership: Membership) -> Membership:
    """End a term now. A vote that is open keeps its frozen roll."""
    _require_administrator(by)
    seat = Membership.objects.select_for_update().get(pk=membership.pk)
    now = timezone.now()
    if seat.ends_at is not None and seat.ends_at <= now:
        raise Conflict(gettext("This term has already ended."))
    seat.ends_at = now
    seat.save(update_fields=["ends_at"])
    ledger.append(
        type=Leaf.MEMBERSHIP_ENDED,
        actor=by.actor,
        subject=seat.body.subject,
        facts={"member": seat.actor, "ends_at": stamp(now)},
    )
    return seat


@transaction.atomic(durable=True)
def affiliate(
    *, by: Person, person: Person, organisation: Organisation, role: OrganisationRole
) -> Affiliation:
    """Let a person act for an organisation as evaluator or operator."""
    _require_administrator(by)
    if person.affiliations.in_term().filter(organisation=organisation, role=role).exists():
        raise Conflict(
            gettext("%(person)s is already %(role)s of %(organisation)s.")
            % {
                "person": person,
                "role": role,
                "organisation": organisation,
            }
        )
    leaf = ledger.append(
        type=Leaf.AFFILIATION_GRANTED,
        actor=by.actor,
        subject=organisation.subject,
        facts={"person": person.actor, "role": str(role)},
    )
    return Affiliation.objects.create(
        person=person, organisation=organisation, role=role, leaf_id=leaf.id
    )


@transaction.atomic(durable=True)
def end_affiliation(*, by: Person, affiliation: Affiliation) -> Affiliation:
    """End a person's right to act for an organisation, now."""
    _require_administrator(by)
    row = Affiliation.objects.select_for_update().get(pk=affiliation.pk)
    if row.ends_at is not None:
        raise Conflict(gettext("This affiliation has already ended."))
    row.ends_at = timezone.now()
    row.save(update_fields=["ends_at"])
    ledger.append(
        type=Leaf.AFFILIATION_ENDED,
        actor=by.actor,
        subject=row.organisation.subject,
        facts={"person": row.person.actor, "role": row.role},
    )
    return row


@transaction.atomic(durable=True)
def create_api_key(
    *, person: Person, name: str, scopes: Iterable[str], days: int | None = 365
) -> tuple[ApiKey, str]:
    """Make a key and return it with its secret, which is shown this once and stored hashed.

    Raises:
        Invalid: an unknown scope, or a lifetime outside 1 to 3650 days.
    """
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in Scope.values]
    if unknown:
        known = ", ".join(Scope.values)
        raise Invalid(
            gettext("Unknown scope %(unknown)s: use %(known)s.")
            % {
                "unknown": f"{unknown[0]!r}",
                "known": known,
            },
            fields={"scopes": known},
        )
    if days is not None and not 1 <= days <= 3650:
        raise Invalid(
            gettext("A key lives 1 to 3650 days."), fields={"days": gettext("Use 1 to 3650.")}
        )
    secret = KEY_PREFIX + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        person=person,
        name=name,
        prefix=secret[:12],
        digest=digest_of_secret(secret),
        scopes=wanted,
        expires_at=timezone.now() + timedelta(days=days) if days else None,
    )
    return key, secret


@transaction.atomic(durable=True)
def revoke_api_key(*, person: Person, key: ApiKey) -> ApiKey:
    """Revoke one's own key, at once and for ever."""
    row = ApiKey.objects.select_for_update().get(pk=key.pk)
    if row.person_id != person.pk:
        raise NotAllowed(gettext("This key belongs to somebody else."))
    if row.revoked_at is None:
        row.revoked_at = timezone.now()
        row.save(update_fields=["revoked_at"])
    return row


@transaction.atomic(durable=True)
def issue_first_administrator_link() -> str | None:
    """Return the secret of a fresh link for the first administrator; None if there is one."""
    if Person.objects.filter(is_superuser=True).exists():
        return None
    OneTimeLink.objects.filter(purpose=FIRST_ADMINISTRATOR, used_at=None).delete()
    secret = secrets.token_urlsafe(24)
    OneTimeLink.objects.create(
        purpose=FIRST_ADMINISTRATOR,
        digest=digest_of_secret(secret),
        expires_at=timezone.now() + timedelta(hours=24),
    )
    return secret


@transaction.atomic(durable=True)
def use_first_administrator_link(
    *, secret: str, email: str, display_name: str, password: str
) -> Person:
    """Make the first administrator. The row lock lets exactly one of two racing requests through.

    Raises:
        Conflict: the link is unknown, used, too old, or an administrator exists.
    """
    link = (
        OneTimeLink.objects.select_for_update()
        .filter(purpose=FIRST_ADMINISTRATOR, digest=digest_of_secret(secret))
        .first()
    )
    usable = link is not None and link.used_at is None and link.expires_at > timezone.now()
    if link is None or not usable or Person.objects.filter(is_superuser=True).exists():
        raise Conflict(
            gettext(
                "This link has been used or is too old. "
                "Run `python manage.py first_administrator` for a new one."
            )
        )
    link.used_at = timezone.now()
    link.save(update_fields=["used_at"])
    person = Person.objects.create_superuser(email, password, display_name=display_name)
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


def notify(
    *,
    people: Iterable[Person],
    subject: "StrOrPromise",
    text: "StrOrPromise",
    path: str = "",
    kind: NoticeKind = NoticeKind.OTHER,
    body: Body | None = None,
    about: str = "",
) -> None:
    """Put a notice into each person's outbox. Call inside the transaction of the act.

    Most wait for the person's next daily digest; `kind` and `body` say what goes at once.

    Args:
        people: whom to tell; one named twice is told once.
        subject: one line, which must stand alone in a list; not yet in any language, so that each
            person has it in theirs.
        text: a sentence or two. Never quote what somebody wrote: it may be hidden by the time it
            is read, and nobody can take a mail back.
        path: where to go from there.
        kind: what it is about.
        body: the body whose business it is.
        about: the reference of its matter, such as `2026-003`: many notices of one kind about it
            are one line of the digest.
    """
    told = list({person.pk: person for person in people}.values())
    now = timezone.now()
    times = mail_times(told, kind=kind, body=body, now=now)
    spoken = languages_of(told)
    worded = {each: _worded(subject, text, each) for each in set(spoken.values())}
    Notice.objects.bulk_create(
        [
            Notice(
                person=person,
                kind=kind,
                body=body,
                about=about[:80],
                subject=worded[spoken[person.pk]][0],
                text=worded[spoken[person.pk]][1],
                # In whatever language the act was done: the stable address is kept.
                path=without_language(path)[:200],
                created_at=now,
                mail_at=times[person.pk],
            )
            for person in told
        ],
        batch_size=1000,
    )


def _worded(subject: "StrOrPromise", text: "StrOrPromise", language: str) -> tuple[str, str]:
    """Return a notice's subject and text as they read in a language."""
    with translation.override(language):
        # A name may hold a line break, and a header of a mail must not.
        return " ".join(str(subject).split())[:160], str(text)


def _require_slug(slug: str) -> None:
    if len(slug) > 60 or not slug_re.match(slug):
        words = gettext("Use up to 60 letters, digits, hyphens and underscores.")
        raise Invalid(
            gettext("“%(slug)s” is no address name. %(words)s")
            % {
                "slug": slug[:80],
                "words": words,
            },
            fields={"slug": words},
        )


def _require_administrator(user: Person) -> None:
    if not policy.can_manage_accounts(user):
        raise NotAllowed(
            gettext("Only an administrator manages bodies, organisations and appointments.")
        )


def call_off(*, kinds: Iterable[NoticeKind], about: str) -> None:
    """Take back notices whose matter is over. Call inside the transaction of the act that ends it.

    What was not mailed is not mailed any more, and nobody's list has it as unread.
    """
    standing = Notice.objects.filter(kind__in=list(kinds), about=about)
    standing.filter(sent_at=None).update(mail_at=None)
    standing.filter(read_at=None).update(read_at=timezone.now())
