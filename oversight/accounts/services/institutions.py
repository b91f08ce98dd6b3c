"""Bodies and organisations, and who sits in them or acts for them."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.core.validators import slug_re
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from oversight.accounts import policy
from oversight.accounts.choices import BodyRole, Leaf, OrganisationRole
from oversight.accounts.models import Affiliation, Body, Membership, Organisation, Person
from oversight.ledger import services as ledger
from oversight.web.clock import stamp
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from oversight.web.written import required_language


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
    *,
    by: Person,
    slug: str,
    name: str,
    summary: str = "",
    time_zone: str = "Europe/Zurich",
    language: str = "",
) -> Body:
    """Found a body. It can decide once it has members and a charter.

    `language` is the one that it works in; the site's where none is named.
    """
    _require_administrator(by)
    _require_slug(slug)
    spoken = required_language(language or settings.LANGUAGE_CODE)
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
        slug=slug,
        name=name,
        summary=summary,
        time_zone=time_zone,
        language=spoken,
        leaf_id=leaf.id,
    )


@transaction.atomic(durable=True)
def set_language(*, by: Person, body: Body, language: str) -> Body:
    """Say in which language a body works: of texts that are written from now on.

    Texts from before languages were asked for follow it, too. It says how pages read a text aloud
    and nothing about what was decided, so the record has no leaf of it.
    """
    _require_administrator(by)
    spoken = required_language(language)
    locked = Body.objects.select_for_update().get(pk=body.pk)
    locked.language = spoken
    locked.save(update_fields=["language"])
    return locked


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
