"""Bodies, seats and organisations in the network API: everyone reads, administrators write."""

from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from oversight.accounts import policy, services
from oversight.accounts.choices import BodyRole, OrganisationRole, Scope
from oversight.accounts.models import Affiliation, Body, Membership, Organisation, Person
from oversight.accounts.permissions import own, writes
from oversight.web.inputs import checked, named_row
from oversight.web.refusals import NotAllowed
from oversight.web.written_inputs import language_input

_OPEN = Q(ends_at=None) | Q(ends_at__gt=Now())


class BodyOutput(serializers.ModelSerializer[Body]):
    """One body, and the leaf by which it was founded."""

    leaf = serializers.UUIDField(source="leaf_id", read_only=True)

    class Meta:
        model = Body
        fields = ["slug", "name", "summary", "time_zone", "language", "founded_at", "leaf"]


class BodyInput(serializers.Serializer[Any]):
    """A body to found."""

    slug = serializers.SlugField(max_length=60)
    name = serializers.CharField(max_length=120)
    summary = serializers.CharField(max_length=400, default="", allow_blank=True)
    time_zone = serializers.CharField(
        max_length=60, default="Europe/Zurich", help_text="Its votes close by this clock."
    )
    language = language_input("That it works in; the site's where none is named.")


class BodyLanguageInput(serializers.Serializer[Any]):
    """In which language a body works."""

    language = language_input("Of its texts where nobody says otherwise.", required=True)


class SeatOutput(serializers.ModelSerializer[Membership]):
    """One term of one person in a body."""

    id = serializers.CharField(source="public_id", read_only=True)
    body = serializers.SlugRelatedField[Body](slug_field="slug", read_only=True)
    name = serializers.CharField(source="person.display_name", read_only=True)
    leaf = serializers.UUIDField(source="leaf_id", read_only=True)

    class Meta:
        model = Membership
        fields = ["id", "body", "name", "role", "weight", "starts_at", "ends_at", "leaf"]


class SeatInput(serializers.Serializer[Any]):
    """A person to appoint, who has an account."""

    email = serializers.EmailField(help_text="Of their account; shown to nobody.")
    role = serializers.ChoiceField(BodyRole.choices, default=BodyRole.MEMBER)
    weight = serializers.IntegerField(min_value=1, max_value=1_000_000, default=1)
    ends_at = serializers.DateTimeField(
        default=None, allow_null=True, help_text="When the term ends; null for an open one."
    )


class OrganisationOutput(serializers.ModelSerializer[Organisation]):
    """One organisation, and the leaf by which it was admitted."""

    leaf = serializers.UUIDField(source="leaf_id", read_only=True)

    class Meta:
        model = Organisation
        fields = ["slug", "name", "website", "admitted_at", "leaf"]


class OrganisationInput(serializers.Serializer[Any]):
    """An organisation to admit."""

    slug = serializers.SlugField(max_length=60)
    name = serializers.CharField(max_length=120)
    website = serializers.URLField(default="", allow_blank=True, max_length=200)


class AffiliationOutput(serializers.ModelSerializer[Affiliation]):
    """One person's right to act for an organisation."""

    organisation = serializers.SlugRelatedField[Organisation](slug_field="slug", read_only=True)
    name = serializers.CharField(source="person.display_name", read_only=True)
    leaf = serializers.UUIDField(source="leaf_id", read_only=True)

    class Meta:
        model = Affiliation
        fields = ["id", "organisation", "name", "role", "starts_at", "ends_at", "leaf"]


class AffiliationInput(serializers.Serializer[Any]):
    """A person who is to act for an organisation, and as what."""

    email = serializers.EmailField(help_text="Of their account; shown to nobody.")
    role = serializers.ChoiceField(OrganisationRole.choices)


class Bodies(generics.ListAPIView[Body]):
    """All bodies; an administrator founds one with POST."""

    permission_classes = [writes(Scope.ACCOUNTS_WRITE)]
    serializer_class = BodyOutput
    queryset = Body.objects.all()

    @extend_schema(request=BodyInput, responses={201: BodyOutput})
    def post(self, request: Request) -> Response:
        """Found a body."""
        founded = services.found_body(by=_administrator(request), **checked(BodyInput, request))
        return Response(BodyOutput(founded).data, status=201)


class BodyDetail(generics.RetrieveAPIView[Body]):
    """One body; an administrator says with PATCH in which language it works."""

    permission_classes = [writes(Scope.ACCOUNTS_WRITE)]
    serializer_class = BodyOutput
    lookup_field = "slug"
    queryset = Body.objects.all()

    @extend_schema(request=BodyLanguageInput, responses=BodyOutput)
    def patch(self, request: Request, slug: str) -> Response:
        """Say in which language it works."""
        by, body = _administrator(request), get_object_or_404(Body, slug=slug)
        changed = services.set_language(by=by, body=body, **checked(BodyLanguageInput, request))
        return Response(BodyOutput(changed).data)


class Seats(generics.ListAPIView[Membership]):
    """The seats of a body that have not ended; an administrator appoints a person with POST."""

    permission_classes = [writes(Scope.ACCOUNTS_WRITE)]
    serializer_class = SeatOutput
    queryset = Membership.objects.none()

    def get_queryset(self) -> QuerySet[Membership]:
        """Return the standing seats of the body that the address names."""
        body = get_object_or_404(Body, slug=self.kwargs["slug"])
        return Membership.objects.filter(_OPEN, body=body).select_related("person", "body")

    @extend_schema(request=SeatInput, responses={201: SeatOutput})
    def post(self, request: Request, slug: str) -> Response:
        """Appoint a person for a term. Rolls already frozen do not change."""
        by, body = _administrator(request), get_object_or_404(Body, slug=slug)
        data = checked(SeatInput, request)
        person = _named(data.pop("email"))
        data["role"] = BodyRole(data["role"])
        seat = services.appoint(by=by, body=body, person=person, **data)
        return Response(SeatOutput(seat).data, status=201)


class SeatEnd(APIView):
    """`POST`: end a term."""

    permission_classes = [writes(Scope.ACCOUNTS_WRITE)]

    @extend_schema(request=None, responses=SeatOutput)
    def post(self, request: Request, slug: str, seat: str) -> Response:
        """End it now. A vote that is open keeps its frozen roll."""
        by = _administrator(request)
        found = get_object_or_404(Membership, public_id=seat, body__slug=slug)
        return Response(SeatOutput(services.end_membership(by=by, membership=found)).data)


class Organisations(generics.ListAPIView[Organisation]):
    """All organisations; an administrator admits one with POST."""

    permission_classes = [writes(Scope.ACCOUNTS_WRITE)]
    serializer_class = OrganisationOutput
    queryset = Organisation.objects.all()

    @extend_schema(request=OrganisationInput, responses={201: OrganisationOutput})
    def post(self, request: Request) -> Response:
        """Admit an organisation; it may then have evaluators, operators and workers."""
        by, data = _administrator(request), checked(OrganisationInput, request)
        admitted = services.admit_organisation(by=by, **data)
        return Response(OrganisationOutput(admitted).data, status=201)


class Affiliations(generics.ListAPIView[Affiliation]):
    """Who acts for an organisation now, for administrators; POST lets one more person do so."""

    permission_classes = [own(Scope.ACCOUNTS_WRITE)]
    serializer_class = AffiliationOutput
    queryset = Affiliation.objects.none()

    def get_queryset(self) -> QuerySet[Affiliation]:
        """Return the standing affiliations of the organisation that the address names."""
        _administrator(self.request)
        organisation = get_object_or_404(Organisation, slug=self.kwargs["slug"])
        rows = organisation.affiliations.in_term().order_by("starts_at", "id")
        return rows.select_related("person", "organisation")

    @extend_schema(request=AffiliationInput, responses={201: AffiliationOutput})
    def post(self, request: Request, slug: str) -> Response:
        """Let a person act for the organisation, as evaluator or operator."""
        by, organisation = _administrator(request), get_object_or_404(Organisation, slug=slug)
        data = checked(AffiliationInput, request)
        made = services.affiliate(
            by=by,
            person=_named(data["email"]),
            organisation=organisation,
            role=OrganisationRole(data["role"]),
        )
        return Response(AffiliationOutput(made).data, status=201)


class AffiliationEnd(APIView):
    """`POST`: end a person's right to act for an organisation."""

    permission_classes = [own(Scope.ACCOUNTS_WRITE)]

    @extend_schema(request=None, responses=AffiliationOutput)
    def post(self, request: Request, slug: str, pk: int) -> Response:
        """End it now."""
        by = _administrator(request)
        found = get_object_or_404(Affiliation, pk=pk, organisation__slug=slug)
        return Response(AffiliationOutput(services.end_affiliation(by=by, affiliation=found)).data)


def _administrator(request: Request) -> Person:
    """Return the administrator who asks, before anybody is looked for by their e-mail.

    Raises:
        NotAllowed: it is somebody else.
    """
    if not (policy.is_person(request.user) and policy.is_administrator(request.user)):
        raise NotAllowed(
            gettext("Only an administrator manages bodies, organisations and appointments.")
        )
    return request.user


def _named(email: str) -> Person:
    """Return whose account has an e-mail; raises Invalid where nobody's has."""
    return named_row(Person, "email", email=email.lower())
