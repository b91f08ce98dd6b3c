"""Mentions: @ and a participant's name tells them, once, and not too many at a time."""

import pytest

from oversight.accounts.models import Notice
from oversight.web.refusals import Invalid
from proposals.mentions import spans_of
from proposals.models import Comment, Mention
from tests import factories
from tests.factories import make_comment, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return factories.make_cast()


@pytest.fixture
def proposal(cast):
    return factories.make_deliberated_proposal(cast)


def told(person):
    return person.notices.filter(subject__contains="mentions you").count()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@Anna Muster, please", ["@Anna Muster"]),
        ("(@anna muster)", ["@anna muster"]),
        ("@Anna and @Anna Muster", ["@Anna", "@Anna Muster"]),
        ("@Annabelle", []),
        ("mail to x@Anna or a.@Anna", []),
        ("@@Anna", []),
        ("@Änne @STRASSE", ["@Änne"]),
        ("@", []),
        ("@ Anna", []),
    ],
)
def test_a_mention_is_an_at_and_a_whole_name(text, found):
    names = {"Anna", "Anna Muster", "Änne", "Straße", ""}
    assert [text[start:end] for start, end in spans_of(text, names)] == found


def test_who_takes_part_is_told_once(cast, proposal):
    make_comment(cast.outsider, proposal, "First.")
    text = "@An outsider, do you agree? @an outsider! And @The chair?"
    made = make_comment(cast.clerk, proposal, text)
    assert told(cast.outsider) == 1
    assert told(cast.chair) == 1
    notice = cast.chair.notices.get()
    assert notice.path.endswith(f"?comment={made.pk}#comment-{made.pk}")
    assert notice.kind == "mention"
    assert "do you agree" not in notice.text
    assert Mention.objects.count() == 2


def test_who_takes_no_part_is_not_told(cast, proposal):
    stranger = make_person("A stranger")
    make_comment(cast.member, proposal, "@A stranger @An auditor")
    assert told(stranger) == told(cast.auditor) == 0


def test_who_is_answered_or_asked_is_not_told_twice(cast, proposal):
    first = make_comment(cast.outsider, proposal, "Why?")
    make_comment(cast.clerk, proposal, "@An outsider Because.", parent=first)
    assert cast.outsider.notices.count() == 1
    make_comment(cast.outsider, proposal, "@A member for the north, who pays?", is_question=True)
    assert cast.member.notices.count() == 1


def test_nobody_tells_themselves(cast, proposal):
    make_comment(cast.chair, proposal, "@The chair thinks aloud.")
    assert told(cast.chair) == 0


def test_people_of_the_same_name_are_all_told(cast, proposal):
    twins = [make_person("Kim Lee") for _ in range(2)]
    for twin in twins:
        make_comment(twin, proposal, "Hello.")
    make_comment(cast.member, proposal, "@Kim Lee?")
    assert [told(twin) for twin in twins] == [1, 1]


def test_a_comment_that_mentions_too_many_is_refused(cast, proposal):
    crowd = [make_person(f"Person {letter}") for letter in "ABCDEFGHIJK"]
    for person in crowd:
        make_comment(person, proposal, "Here.")
    everybody = " ".join(f"@{person}" for person in crowd)
    with pytest.raises(Invalid, match="at most 10 people"):
        make_comment(cast.member, proposal, everybody)
    assert not Comment.objects.filter(author=cast.member).exists()
    assert not Notice.objects.filter(subject__contains="mentions you").exists()


def test_a_name_with_script_in_it_stays_words(client, cast, proposal):
    person = make_person("<script>alert(1)</script>")
    make_comment(person, proposal, "Hello.")
    make_comment(cast.member, proposal, "@<script>alert(1)</script> hello")
    assert told(person) == 1
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert "<script>alert" not in page
