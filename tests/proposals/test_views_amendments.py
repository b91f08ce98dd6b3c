"""The pages on which a text is written, previewed, amended and answered."""

import pytest
from django.urls import reverse

from proposals.models import Amendment, Revision
from proposals.services import amendments, drafting
from tests.factories import make_amendment, make_cast, make_deliberated_proposal, make_proposal
from tests.marked import put_in, taken_out

pytestmark = pytest.mark.django_db

EVERYBODY = ("anonymous", "outsider", "member", "second_member", "clerk", "administrator")
TEXT = "The operator must log every request for twelve months.\n\nA person takes over.\n"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def proposal(cast):
    return make_deliberated_proposal(cast, text=TEXT)


@pytest.fixture
def amendment(cast, proposal):
    return make_amendment(cast.second_member, proposal, "twelve", "six")


def address(name, proposal, *rest):
    return reverse(name, args=[proposal.ref, *rest])


def sign_in(client, cast, role):
    client.logout()
    if person := cast.named(role):
        client.force_login(person)
    return client


def sent(**fields):
    return {"text": TEXT.replace("twelve", "nine"), "reason": "Less.", "base_number": 1} | fields


def page_of(answer):
    return answer.content.decode()


@pytest.mark.parametrize(
    ("name", "rest", "allowed"),
    [
        ("proposal-amend", (), {"member", "second_member"}),
        ("proposal-amendment-edit", (1,), {"second_member"}),
    ],
)
def test_a_form_opens_for_those_who_may_send_it(
    client, cast, proposal, amendment, name, rest, allowed
):
    for role in EVERYBODY:
        answer = sign_in(client, cast, role).get(address(name, proposal, *rest))
        expected = 302 if role == "anonymous" else 200 if role in allowed else 403
        assert answer.status_code == expected, role


@pytest.mark.parametrize(
    ("act", "allowed"),
    [("accept", {"member"}), ("reject", {"member"}), ("withdraw", {"second_member"})],
)
def test_an_amendment_is_answered_only_by_those_who_may(client, cast, proposal, act, allowed):
    for number, role in enumerate(EVERYBODY, 1):
        word = f"{number} "
        own = make_amendment(cast.second_member, proposal, "log", f"{word}log")
        path = address("proposal-amendment-act", proposal, own.number)
        answer = sign_in(client, cast, role).post(path, {"act": act, "reason": "No."})
        own.refresh_from_db()
        assert (own.status != "open") == (role in allowed), role
        assert answer.status_code == (302 if role in {*allowed, "anonymous"} else 403), role


def test_everybody_reads_an_amendment_and_nobody_one_of_a_draft(client, cast, proposal, amendment):
    for role in EVERYBODY:
        answer = sign_in(client, cast, role).get(amendment.get_absolute_url())
        assert answer.status_code == 200, role
    draft = make_proposal(cast)
    assert client.get(address("proposal-amendment", draft, 1)).status_code == 404
    assert client.get(address("proposal-amendment", proposal, 2)).status_code == 404
    assert client.get(address("proposal-amendment", proposal, 10**20)).status_code == 404


def test_an_amendment_is_written_sent_and_shown_in_its_place_and_in_the_list(
    client, cast, proposal
):
    sign_in(client, cast, "second_member")
    form = page_of(client.get(address("proposal-amend", proposal)))
    assert "must log every request for twelve months" in form
    answer = client.post(address("proposal-amend", proposal), sent())
    assert answer["Location"] == address("proposal-amendment", proposal, 1)
    page = page_of(client.get(proposal.get_absolute_url()))
    assert page.count(taken_out("twelve") + put_in("nine")) == 2
    assert page.index("text-note") < page.index("A person takes over.")
    assert "1 amendment" in page


def test_line_ends_of_a_browser_are_no_change(client, cast, proposal):
    sign_in(client, cast, "second_member")
    same = client.post(address("proposal-amend", proposal), sent(text=TEXT.replace("\n", "\r\n")))
    assert same.status_code == 422
    assert "Nothing is changed" in page_of(same)


def test_a_newer_revision_of_the_same_words_is_shown_beside_what_was_typed(client, cast, proposal):
    drafting.revise_text(
        by=cast.member,
        proposal=proposal,
        title="T",
        summary="S",
        text=TEXT.replace("twelve", "ten"),
        base_number=1,
    )
    sign_in(client, cast, "second_member")
    answer = client.post(address("proposal-amend", proposal), sent())
    page = page_of(answer)
    assert answer.status_code == 409
    assert "for nine months" in page
    assert "Revision 2, written meanwhile" in page
    assert 'name="base_number" value="2"' in page
    assert client.post(address("proposal-amend", proposal), sent(base_number=2)).status_code == 302


def test_what_no_longer_fits_is_shown_to_its_author_who_writes_it_anew(
    client, cast, proposal, amendment
):
    drafting.revise_text(
        by=cast.member,
        proposal=proposal,
        title="T",
        summary="S",
        text=TEXT.replace("twelve", "ten"),
        base_number=1,
    )
    sign_in(client, cast, "second_member")
    page = page_of(client.get(address("proposal-amendment-edit", proposal, 1)))
    assert "Not all of it fits the newest text." in page
    assert f"{taken_out('twelve')} {put_in('six')}" in page
    listed = page_of(client.get(proposal.get_absolute_url()))
    assert "A newer revision changed the same words" in listed
    path = address("proposal-amendment-edit", proposal, 1)
    assert client.post(path, sent(base_number=2)).status_code == 302
    amendment.refresh_from_db()
    assert amendment.text == TEXT.replace("twelve", "nine")


def test_conflicting_amendments_name_each_other(client, cast, proposal, amendment):
    make_amendment(cast.chair, proposal, "twelve months", "a year")
    make_amendment(cast.chair, proposal, "A person", "Somebody")
    page = page_of(client.get(proposal.get_absolute_url()))
    assert page.count("About the same words as") == 2
    own = page_of(client.get(amendment.get_absolute_url()))
    assert "Amendment 2</a> is about the same words" in own


def test_rejecting_without_a_reason_says_so_on_the_amendments_page(
    client, cast, proposal, amendment
):
    sign_in(client, cast, "member")
    path = address("proposal-amendment-act", proposal, 1)
    answer = client.post(path, {"act": "reject", "reason": " "})
    assert answer.status_code == 422
    assert "One thing needs mending" in page_of(answer)
    assert client.post(path, {"act": "burn"}).status_code == 422


def test_scripts_in_text_reason_and_answer_are_shown_as_words(client, cast, proposal):
    sign_in(client, cast, "second_member")
    text = TEXT.replace("twelve", f"{EVIL} six").replace("A person", f"{EVIL}\n\nA person")
    client.post(address("proposal-amend", proposal), sent(text=text, reason=EVIL))
    amendment = Amendment.objects.get()
    amendments.reject_amendment(by=cast.member, amendment=amendment, reason=EVIL)
    client.post(address("proposal-amend", proposal), sent(text=EVIL, preview="1"))
    for path in (proposal.get_absolute_url(), amendment.get_absolute_url()):
        assert EVIL not in page_of(client.get(path))
    amendments.accept_amendment(by=cast.member, amendment=amendment)
    for path in (proposal.get_absolute_url(), address("proposal-revision", proposal, 2)):
        assert EVIL not in page_of(client.get(path))
    assert EVIL in proposal.text.body_markdown


def test_a_text_of_five_megabytes_is_refused_everywhere(client, cast, proposal, amendment):
    sign_in(client, cast, "second_member")
    huge = "word " * 1_000_000
    for name, rest in (("proposal-amend", ()), ("proposal-amendment-edit", (1,))):
        answer = client.post(address(name, proposal, *rest), sent(text=huge))
        assert answer.status_code in {400, 413, 422}, name
    path = address("api-amendments", proposal)
    answer = client.post(path, sent(text=huge), content_type="application/json")
    assert answer.status_code in {413, 422}
    assert Amendment.objects.count() == 1


# -- Previews


@pytest.mark.parametrize(
    ("role", "name", "rest"),
    [
        ("member", "proposal-edit", ()),
        ("second_member", "proposal-amend", ()),
        ("second_member", "proposal-amendment-edit", (1,)),
    ],
)
def test_a_text_is_previewed_and_nothing_is_kept(
    client, cast, proposal, amendment, role, name, rest
):
    path = address(name, proposal, *rest)
    data = sent(title="T", summary="S", text=f"# New\n\n{TEXT} {EVIL}", preview="1")
    whole = sign_in(client, cast, role).post(path, data)
    page = page_of(whole)
    assert whole.status_code == 200
    assert "<h3>New</h3>" in page
    assert put_in("# New") in page
    assert EVIL not in page
    assert "HX-Request" in whole["Vary"]
    part = client.post(path, data, headers={"HX-Request": "true"})
    assert page_of(part).strip().startswith("<section") or "<!doctype" not in page_of(part)
    assert "<h3>New</h3>" in page_of(part)
    assert Revision.objects.filter(proposal=proposal).count() == 1
    assert Amendment.objects.count() == 1


def test_a_new_proposal_is_previewed_with_all_that_was_typed(client, cast):
    sign_in(client, cast, "member")
    data = {"type": "general_motion", "title": "My title", "summary": "S", "preview": "1"}
    data["text"] = "**bold**"
    page = page_of(client.post(reverse("proposal-create"), data))
    assert "<strong>bold</strong>" in page
    assert "My title" in page
    assert "needs mending" not in page
    too_long = client.post(reverse("proposal-create"), {**data, "text": "x" * 100_001})
    assert "at most 100,000" in page_of(too_long)


def test_the_api_previews_and_revises(client, cast, proposal):
    sign_in(client, cast, "member")
    seen = client.post(
        address("api-preview", proposal), {"text": f"{TEXT}\n# New {EVIL}\n"}, "application/json"
    ).json()
    assert EVIL not in seen["html"]
    assert [row["kind"] for row in seen["changes"]][-1] == "new"
    body = {"title": "T", "summary": "S", "text": "New.\n", "base_number": 1}
    made = client.post(address("api-revisions", proposal), body, "application/json")
    assert (made.status_code, made.json()["number"]) == (201, 2)
    again = client.post(address("api-revisions", proposal), body, "application/json")
    assert again.status_code == 409
    assert client.get(address("api-revision", proposal, 2)).json()["markdown"] == "New.\n"
