"""Forms send the same in every language: only what a reader sees is translated."""

from html.parser import HTMLParser

import pytest
from django.urls import reverse

from oversight.web.languages import without_language
from proposals.choices import Answer, Status
from proposals.models import Amendment, Opinion
from proposals.services import amendments
from tests import factories

pytestmark = pytest.mark.django_db

LANGUAGES = ["fr", "de", "ar-xb"]
TEXT = "The model answers questions of the public."


class Forms(HTMLParser):
    """What the forms of a page can send: each control's kind, name and fixed value."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        each = dict(attributes)
        for key in ("action", "formaction", "hx-get", "hx-post"):
            if key in each:
                self.found.append((tag, key, without_language(each[key] or "")))
        for key in ("hx-target", "hx-swap", "hx-trigger", "hx-include", "hx-select"):
            if key in each:
                self.found.append((tag, key, each[key]))
        is_fixed = tag in {"button", "option"} or each.get("type") in {
            "hidden",
            "radio",
            "checkbox",
        }
        if tag in {"input", "button", "option", "select", "textarea"}:
            secret = each.get("name") == "csrfmiddlewaretoken"
            value = each.get("value") if is_fixed and not secret else None
            self.found.append((tag, each.get("name"), value))


def sent_by(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, path
    forms = Forms()
    forms.feed(answer.content.decode())
    return forms.found


@pytest.fixture
def cast():
    return factories.make_cast()


@pytest.fixture
def talked(cast):
    """A proposal in deliberation with something of everything to act on."""
    proposal = factories.make_deliberated_proposal(cast, text=TEXT)
    factories.make_comment(cast.member, proposal)
    factories.make_argument(cast.second_member, proposal)
    factories.make_statement(cast.second_member, proposal)
    factories.make_amendment(cast.second_member, proposal, "questions", "letters")
    return proposal


def pages_of(cast, talked):
    """The addresses of pages with forms, each with who sees most of them."""
    amendment = Amendment.objects.get().get_absolute_url()
    voted = factories.make_open_vote(cast)
    minutes = factories.make_minutes(cast)
    body = cast.body.slug
    return [
        (cast.member, talked.get_absolute_url()),
        (cast.clerk, talked.get_absolute_url()),
        (cast.clerk, factories.make_final_proposal(cast).get_absolute_url()),
        (cast.clerk, voted.get_absolute_url()),
        (cast.member, reverse("proposal-ballot", args=[voted.ref])),
        (cast.member, reverse("proposal-arguments", args=[talked.ref])),
        (cast.member, reverse("proposal-opinions", args=[talked.ref])),
        (cast.second_member, amendment),
        (cast.member, amendment),
        (cast.member, reverse("proposal-amend", args=[talked.ref])),
        (cast.member, reverse("delegation", args=[body])),
        (cast.clerk, minutes.get_absolute_url()),
        (cast.clerk, reverse("minutes-list", args=[body])),
        (cast.administrator, reverse("charter-adopt", args=[body])),
        (cast.member, reverse("proposal-create")),
        (None, reverse("count")),
        (None, reverse("record")),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_form_sends_the_same_in_every_language(client, cast, talked, language):
    for person, path in pages_of(cast, talked):
        client.logout()
        if person is not None:
            client.force_login(person)
        assert sent_by(client, f"/{language}{path}") == sent_by(client, path), path


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_button_does_in_every_language_what_it_does_in_english(client, cast, talked, language):
    opinions = f"/{language}" + reverse("proposal-opinions", args=[talked.ref])
    client.force_login(cast.member)
    offered = [value for _, name, value in sent_by(client, opinions) if name == "answer"]
    assert offered == list(Answer)
    answer = f"/{language}" + reverse("proposal-answer", args=[talked.ref])
    statement = {"statement": talked.statements.get().pk}
    assert client.post(answer, {**statement, "answer": offered[0]}).status_code == 302
    assert Opinion.objects.get().answer == Answer.AGREE

    amendments.withdraw_amendment(by=cast.second_member, amendment=Amendment.objects.get())
    client.force_login(cast.clerk)
    page = f"/{language}{talked.get_absolute_url()}"
    assert ("button", "act", "fix-text") in sent_by(client, page)
    move = f"/{language}" + reverse("proposal-move", args=[talked.ref])
    assert client.post(move, {"act": "fix-text"}).status_code == 302
    talked.refresh_from_db()
    assert talked.status == Status.FINAL_TEXT


@pytest.mark.parametrize(
    ("language", "quorum", "emergency"),
    [
        (
            "fr",
            "… de la liste des votants",
            "En urgence, le greffe suspend aussitôt une autorisation.",
        ),
        (
            "de",
            "… der Stimmliste",
            "Im Notfall setzt die Schriftführung eine Zulassung sofort aus.",
        ),
    ],
)
def test_what_a_charter_can_say_is_offered_in_the_language_of_the_page(
    cast, client, language, quorum, emergency
):
    client.force_login(cast.member)
    address = reverse("proposal-create") + f"?body={cast.body.slug}&type=amend_charter"
    page = client.get(f"/{language}{address}").content.decode()
    assert quorum in page
    assert emergency in page
    assert "of the roll must vote" not in page
    assert "Nobody can suspend" not in page
