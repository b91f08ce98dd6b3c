"""Lists of models and uses: by pages, searched, in a bounded number of questions."""

import pytest

from tests import factories
from tests.evals.test_checks import Scene

pytestmark = pytest.mark.django_db


def make_models(count, versions=1):
    for number in range(count):
        for label in range(versions):
            factories.make_model_version(
                model_slug=f"alpina-{number}", model_name=f"Alpina {number:03}", label=f"{label}.0"
            )


@pytest.mark.parametrize("address", ["/models/", "/api/v1/models/", "/in-service/"])
def test_a_list_asks_no_more_questions_with_more_models(
    client, django_assert_max_num_queries, address
):
    make_models(12, versions=2)
    client.get(address)
    with django_assert_max_num_queries(14):
        client.get(address)


def test_no_list_reads_the_files_of_the_versions(client, django_assert_max_num_queries):
    make_models(2)
    for address in ("/models/", "/api/v1/models/", "/in-service/"):
        with django_assert_max_num_queries(30) as asked:
            client.get(address)
        assert not [
            each["sql"] for each in asked.captured_queries if '"manifest",' in each["sql"]
        ], address


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("alpina 001", ["alpina-1"]),
        ("1.0", ["alpina-0", "alpina-1"]),
        ("ALPINA-0", ["alpina-0"]),
        ("nothing", []),
        ("%", []),
    ],
)
def test_a_search_finds_each_word_in_names_and_labels(client, words, found):
    make_models(2, versions=2)
    page = client.get("/models/", {"q": words}).content.decode()
    for slug in ("alpina-0", "alpina-1"):
        assert (f"/models/{slug}/" in page) is (slug in found)
    rows = client.get("/api/v1/models/", {"q": words}).json()["results"]
    assert [row["slug"] for row in rows] == found


def test_a_digest_finds_its_model(client):
    version = factories.make_model_version()
    factories.make_model_version()
    rows = client.get("/api/v1/models/", {"q": version.digest[:20]}).json()["results"]
    assert [row["slug"] for row in rows] == [version.model.slug]


def test_pages_lead_on_and_keep_the_search(client, monkeypatch):
    monkeypatch.setattr("oversight.dashboards.views.registry.A_PAGE", 2)
    make_models(3)
    page = client.get("/models/?q=alpina").content.decode()
    assert "?q=alpina&amp;page=2" in page
    assert "/models/alpina-2/" not in page
    assert "/models/alpina-2/" in client.get("/models/?q=alpina&page=2").content.decode()


def test_uses_are_found_by_operator_and_purpose(client):
    deployment = factories.make_deployment(name="Night desk")
    factories.make_deployment(name="Day desk", purpose="Sorts letters.")
    operator = deployment.endpoint.operator.name
    page = client.get("/deployments/", {"q": f"night {operator}"}).content.decode()
    assert "Night desk" in page
    assert "Day desk" not in page


def test_what_is_in_service_leads_to_the_whole_lists(client, monkeypatch):
    monkeypatch.setattr("oversight.dashboards.views.registry.MODELS_SHOWN", 1)
    monkeypatch.setattr("oversight.dashboards.views.registry.USES_SHOWN", 1)
    make_models(2)
    factories.make_deployment()
    factories.make_deployment()
    page = client.get("/in-service/").content.decode()
    assert "see all 2 models" in page
    assert "see all 2 uses" in page


def test_endpoints_are_found_by_operator_and_claim_and_say_how_they_were_checked(client):
    scene = Scene()
    scene.plan()
    scene.round(north=70, south=20)
    scene.endpoint("quiet", version=factories.make_model_version().digest)
    page = client.get("/endpoints/").content.decode()
    assert page.count("Raised an alarm") == 2
    assert page.count("Not checked") == 1
    page = client.get("/endpoints/", {"q": f"north {scene.version.digest}"}).content.decode()
    assert "/endpoints/north/" in page
    assert "/endpoints/south/" not in page
    assert "No endpoint is called so" in client.get("/endpoints/?q=nowhere").content.decode()


def test_a_list_of_endpoints_costs_the_same_whatever_its_length(
    client, django_assert_max_num_queries
):
    scene = Scene()
    for number in range(12):
        scene.endpoint(f"more-{number}")
    with django_assert_max_num_queries(8):
        client.get("/endpoints/")


@pytest.mark.parametrize("path", ["/models/", "/deployments/", "/endpoints/"])
def test_an_empty_list_says_what_will_be_there_and_how(client, path):
    page = client.get(path).content.decode()
    assert "The first one will stand here." in page
    assert "search-form" not in page


def test_before_the_first_evaluation_the_page_of_compute_says_so(client):
    assert "<h1>Nothing has been computed yet.</h1>" in client.get("/compute/").content.decode()
