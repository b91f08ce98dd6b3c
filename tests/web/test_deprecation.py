"""An address that will go says so, in its answers and in the OpenAPI document."""

from datetime import date

import pytest
from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from oversight.web.deprecation import Deprecation

ENDS = Deprecation(since=date(2026, 1, 1), gone=date(2027, 2, 1), instead="/api/v1/models/")


class Old(APIView):
    """One that will go."""

    deprecation = ENDS
    permission_classes = [AllowAny]

    @extend_schema(responses={200: {"type": "object"}})
    def get(self, request):
        """Read."""
        return Response({})


class Current(Old):
    """One that stays."""

    deprecation = None


PATHS = [
    path("api/v1/old/", Old.as_view()),
    path("api/v1/current/", Current.as_view()),
]
urlpatterns = PATHS


@pytest.mark.urls(__name__)
@pytest.mark.django_db
@pytest.mark.parametrize(("method", "status"), [("get", 200), ("post", 405)])
def test_its_answers_name_both_days_and_what_to_use(client, method, status):
    answer = getattr(client, method)("/api/v1/old/")
    assert answer.status_code == status
    assert answer["Deprecation"] == "@1767225600"
    assert answer["Sunset"] == "Mon, 01 Feb 2027 00:00:00 GMT"
    assert answer["Link"] == '</api/v1/models/>; rel="successor-version"'
    assert "Deprecation" not in client.get("/api/v1/current/")


def test_the_document_marks_it():
    document = SchemaGenerator(patterns=PATHS).get_schema(request=None, public=True)
    old = document["paths"]["/api/v1/old/"]["get"]
    assert (old["deprecated"], old["x-sunset"]) == (True, "2027-02-01")
    assert "deprecated" not in document["paths"]["/api/v1/current/"]["get"]


def test_less_than_a_year_of_notice_is_a_mistake():
    with pytest.raises(ValueError, match="365 days"):
        Deprecation(since=date(2026, 1, 1), gone=date(2026, 12, 1), instead="/api/v1/models/")
