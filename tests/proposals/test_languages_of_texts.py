"""The language that a text is in: said by its writer, else the proposal's, else the body's."""

import copy
import json
from dataclasses import asdict, dataclass

import pytest
from django.template import Context, Template
from django.urls import reverse
from django.utils.translation import override

from oversight.accounts import services as accounts
from oversight.accounts.choices import Scope
from oversight.accounts.models import Body
from oversight.ledger.models import PendingLeaf
from oversight.web.refusals import Invalid, NotAllowed
from oversight.web.written import Told, Written
from proposals.choices import ProposalType, Side
from proposals.models import Argument, Comment, OpinionStatement, Proposal, Statement
from proposals.services import drafting
from tests import factories
from tests.factories import make_cast


@pytest.fixture
def cast(db):
    return make_cast(body={"language": "de"})


def header(person, scope=Scope.PROPOSALS_WRITE):
    _, secret = accounts.create_api_key(person=person, name="T", scopes=[scope])
    return {"Authorization": f"Bearer {secret}"}


def test_what_nobody_says_otherwise_is_in_the_bodys_language(cast):
    proposal = factories.make_deliberated_proposal(cast)
    assert proposal.language == "de"
    assert factories.make_comment(cast.outsider, proposal).language == "de"
    assert factories.make_argument(cast.outsider, proposal).language == "de"
    assert factories.make_statement(cast.outsider, proposal).language == "de"


def test_rows_older_than_the_question_follow_the_body(cast):
    proposal = factories.make_deliberated_proposal(cast)
    comment = factories.make_comment(cast.outsider, proposal)
    Proposal.objects.update(language="")
    Comment.objects.update(language="")
    assert Comment.objects.get(pk=comment.pk).written_in == "de"
    accounts.set_language(by=cast.administrator, body=cast.body, language="fr")
    assert Comment.objects.get(pk=comment.pk).written_in == "fr"
    assert Proposal.objects.get(pk=proposal.pk).title.language == "fr"


def test_a_language_that_the_site_does_not_know_is_refused_and_nothing_is_kept(cast):
    proposal = factories.make_deliberated_proposal(cast)
    with pytest.raises(Invalid, match="en, fr, de") as refused:
        factories.make_comment(cast.outsider, proposal, language="tlh")
    assert "language" in refused.value.fields
    assert not Comment.objects.exists()


def test_the_form_of_a_proposal_says_the_language(client, cast):
    client.force_login(cast.member)
    address = f"{reverse('proposal-create')}?type={ProposalType.MOTION}"
    page = client.get(address).content.decode()
    assert '<option value="de" selected>Deutsch</option>' in page
    words = {"title": "Publier", "summary": "En bref.", "text": "Le texte.", "language": "fr"}
    client.post(address, words | {"type": ProposalType.MOTION, "body": cast.body.pk})
    proposal = Proposal.objects.get()
    assert proposal.language == "fr"
    client.post(
        reverse("proposal-edit", args=[proposal.ref]), words | {"language": "en", "base_number": 1}
    )
    proposal.refresh_from_db()
    assert (proposal.language, proposal.text.number) == ("en", 1)


def test_a_revision_without_a_language_keeps_the_texts(cast):
    proposal = factories.make_proposal(cast, language="fr")
    words = {"title": "T", "summary": "S", "text": "X", "base_number": 1}
    drafting.revise_text(by=cast.member, proposal=proposal, **words)
    proposal.refresh_from_db()
    assert (proposal.language, proposal.text.number) == ("fr", 2)


def test_the_language_leaves_the_text_its_digest_and_the_record_its_leaves(cast):
    proposal = factories.make_proposal(cast)
    before, leaves = proposal.text.digest, PendingLeaf.objects.count()
    text = proposal.text
    words = {"title": text.title, "summary": text.summary, "text": text.body_markdown}
    drafting.revise_text(by=cast.member, proposal=proposal, **words, base_number=1, language="fr")
    accounts.set_language(by=cast.administrator, body=cast.body, language="fr")
    proposal.refresh_from_db()
    assert (proposal.language, proposal.text.digest) == ("fr", before)
    assert PendingLeaf.objects.count() == leaves


def test_each_form_of_talk_comes_with_the_proposals_language_and_takes_another(client, cast):
    proposal = factories.make_deliberated_proposal(cast)
    client.force_login(cast.outsider)
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert page.count('<option value="de" selected>Deutsch</option>') == 2
    said = {"text": "En français.", "language": "fr"}
    client.post(reverse("proposal-comment", args=[proposal.ref]), said)
    client.post(reverse("proposal-arguments", args=[proposal.ref]), said | {"side": "for"})
    client.post(reverse("proposal-statements", args=[proposal.ref]), said)
    for kind in (Comment, Argument, OpinionStatement):
        assert kind.objects.get().language == "fr"
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert page.count('<option value="de" selected>Deutsch</option>') == 3  # with that of an answer
    assert page.count(' lang="fr"') == page.count("En français.") + 1  # with the way to that page


def test_a_statement_about_a_decision_has_the_language_that_its_form_says(client, cast):
    decision = factories.make_decision(cast)
    client.force_login(cast.clerk)
    address = reverse("decision-statement", args=[decision.ref, "reasons"])
    assert '<option value="de" selected>' in client.get(address).content.decode()
    client.post(address, {"text": "Les motifs.", "language": "fr"})
    assert Statement.objects.get().language == "fr"


def test_a_program_reads_and_says_the_language_of_every_text(client, cast):
    key = {"headers": header(cast.member), "content_type": "application/json"}
    words = {
        "body": cast.body.slug,
        "type": ProposalType.MOTION,
        "title": "T",
        "summary": "S",
        "text": "X",
    }
    made = client.post("/api/v1/proposals/", words | {"language": "fr"}, **key).json()
    assert made["language"] == "fr"
    proposal = factories.make_deliberated_proposal(cast)
    base = f"/api/v1/proposals/{proposal.ref}/"
    assert client.get(base).json()["language"] == "de"
    said = {"text": "En français.", "language": "fr"}
    for name, more in (("comments", {}), ("arguments", {"side": Side.FOR}), ("statements", {})):
        assert client.post(f"{base}{name}/", said | more, **key).status_code == 201, name
        found = client.get(f"{base}{name}/").json()
        rows = found["arguments"] if name == "arguments" else found["results"]
        assert [row["language"] for row in rows] == ["fr"], name
    refused = client.post(f"{base}comments/", said | {"language": "tlh"}, **key)
    assert (refused.status_code, [*refused.json()["errors"]]) == (422, ["language"])


def test_an_administrator_says_in_which_language_a_body_works(client, cast):
    client.force_login(cast.administrator)
    page = reverse("administration-body", args=[cast.body.slug])
    assert '<option value="de" selected>' in client.get(page).content.decode()
    address = reverse("body-language", args=[cast.body.slug])
    assert client.post(address, {"language": "fr"}).status_code == 302
    assert client.post(address, {"language": "tlh"}).status_code == 422
    assert Body.objects.get(pk=cast.body.pk).language == "fr"
    shown = client.get(f"/bodies/{cast.body.slug}/").content.decode()
    assert 'Its working language: <span lang="fr">Français</span>.' in shown


def test_a_program_of_an_administrator_says_it_too(client, cast):
    key = {"headers": header(cast.administrator, Scope.ACCOUNTS_WRITE)}
    key["content_type"] = "application/json"
    address = f"/api/v1/bodies/{cast.body.slug}/"
    assert client.patch(address, {"language": "fr"}, **key).json()["language"] == "fr"
    assert client.patch(address, {}, **key).status_code == 422
    with pytest.raises(NotAllowed):
        accounts.set_language(by=cast.clerk, body=cast.body, language="en")
    assert client.get(address).json()["language"] == "fr"


# -- Marks -----------------------------------------------------------------------------------


def shown(source, language="fr", **values):
    with override(language):
        return Template("{% load i18n oversight_tags %}" + source).render(Context(values))


def test_a_text_is_marked_where_the_page_speaks_another_language():
    title = Written("Für <alle>", "de")
    assert shown("{{ t }}", t=title) == '<span lang="de">Für &lt;alle&gt;</span>'
    assert shown("{{ t }}", "de", t=title) == "Für &lt;alle&gt;"
    assert shown('<a title="{{ t|plain }}">', t=title) == '<a title="Für &lt;alle&gt;">'
    sentence = "{% blocktranslate with t=t %}Voici {{ t }}.{% endblocktranslate %}"
    assert shown(sentence, t=title) == 'Voici <span lang="de">Für &lt;alle&gt;</span>.'
    assert shown("{{ t }}", t=Written("", "de")) == ""


def test_a_language_that_is_written_the_other_way_turns_its_text():
    assert shown("<p{% marks l %}>", l="ar") == '<p lang="ar" dir="rtl">'
    assert shown("<p{% marks l %}>", l="de") == '<p lang="de">'
    assert shown("<p{% marks l %}>", l="fr") == shown("<p{% marks l %}>", l="") == "<p>"
    assert shown("<p{% page_marks l %}>", l="ar") == '<p lang="fr" dir="ltr">'
    assert shown("<p{% page_marks l %}>", l="fr") == "<p>"


def test_a_sentence_of_ours_keeps_the_language_of_what_is_quoted_in_it():
    told = Told("%(who)s & moi : %(what)s, 5 %%", who="<Ann>", what=Written("Wozu?", "de"))
    assert told == "<Ann> & moi : Wozu?, 5 %"
    marked = '&lt;Ann&gt; &amp; moi : <span lang="de">Wozu?</span>, 5 %'
    assert shown("{{ t }}", t=told) == marked


def test_for_a_program_a_text_is_a_text():
    @dataclass
    class Row:
        title: str
        words: str

    row = Row(Written("Für alle", "de"), Told("%(a)s 5 %%", a=Written("x", "de")))
    assert json.loads(json.dumps(asdict(row))) == {"title": "Für alle", "words": "x 5 %"}
    assert copy.deepcopy(row.title).language == "de"
