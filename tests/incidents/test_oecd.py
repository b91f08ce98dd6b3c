"""An incident in the OECD's terms: every choice of ours has its word, every group is there."""

import pytest

from oversight.incidents import oecd
from oversight.incidents.choices import Category, Harm, Severity
from oversight.incidents.models import Incident
from oversight.incidents.services import links
from oversight.incidents.shown import as_oecd
from tests.factories import make_cast, make_deployment, make_model_version
from tests.incidents.made import TEXT, TITLE, make_incident


def test_every_choice_has_its_word():
    assert set(oecd.SEVERITIES) == set(Severity.values)
    assert set(oecd.HARMS) == set(Harm.values)
    assert set(oecd.PRINCIPLES) == set(Category.values)


@pytest.mark.django_db
def test_an_incident_is_said_in_the_groups_of_the_framework(settings):
    cast, version, deployment = make_cast(), make_model_version(), make_deployment()
    incident = make_incident(cast.clerk, deployments=[deployment])
    links.link(by=cast.clerk, incident=incident, to=version)
    found = as_oecd(Incident.objects.with_parts().get(pk=incident.pk))
    about = found["incident_metadata"]
    assert (about["title"], about["description"]) == (TITLE, TEXT)
    assert about["supporting_material"] == [f"{settings.PUBLIC_URL}/incidents/{incident.ref}/"]
    assert found["harm_details"] == {
        "severity": "AI incident",
        "harm_type": "economic or property",
        "harm_has_materialised": True,
        "quantification": None,
        "wrongful_use": None,
    }
    assert found["ai_model"]["versions"][0]["weights_digest"] == version.digest
    assert found["economic_context"]["deployments"][0]["business_function"] == deployment.purpose
    for _, name, path in oecd.CRITERIA:
        group, _, field = path.partition(".")
        held = found[group][field] if field else found[group]
        if path in found["not_held"]:
            assert held is None, name
        else:
            assert held is not None or field in {"date_of_first_known_occurrence", "outcome"}, name


@pytest.mark.django_db
def test_a_hazard_has_not_harmed_anybody():
    cast = make_cast()
    incident = make_incident(cast.clerk, severity=Severity.SERIOUS_HAZARD, harm=Harm.NONE)
    found = as_oecd(Incident.objects.with_parts().get(pk=incident.pk))
    assert found["harm_details"] == {
        "severity": "serious AI hazard",
        "harm_type": None,
        "harm_has_materialised": False,
        "quantification": None,
        "wrongful_use": None,
    }


def test_every_criterion_of_the_framework_is_held_or_said_not_to_be():
    assert [number for number, *_ in oecd.CRITERIA] == list(range(1, 30))
    assert len(oecd.NOT_HELD) == 14
