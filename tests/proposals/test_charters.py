"""A body's first charter: entered on a page or by a command, read back, and adopted once."""

import json
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from oversight.accounts import services as accounts
from oversight.ledger.models import PendingLeaf
from oversight.web.refusals import Conflict, NotAllowed
from proposals import charter, charter_rules
from proposals.charter_rules import CharterError
from proposals.choices import ProposalType
from proposals.models import Charter
from proposals.services import voting
from proposals.services.charters import adopt_charter
from tests.factories import (
    make_administrator,
    make_cast,
    make_final_proposal,
    make_person,
    make_proposal,
    quick_charter,
)

pytestmark = pytest.mark.django_db

AUTHORISE, MOTION = ProposalType.AUTHORISE.value, ProposalType.MOTION.value
ELECTION = ProposalType.ELECTION.value


@pytest.fixture
def administrator(client):
    person = make_administrator()
    client.force_login(person)
    return person


@pytest.fixture
def body(administrator):
    return accounts.found_body(by=administrator, slug="new-council", name="New Council")


def address(body):
    return reverse("charter-adopt", args=[body.slug])


def filled(act="check", **changes):
    """Return what the page sends for the rules it begins with, but for `changes`."""
    common = {
        "notice_hours": "2 days",
        "deliberation_hours": "7 days",
        "voting_hours": "72 hours",
        "base": "yes_and_no",
        "quorum": "1/2",
        "quorum_base": "roll",
        "method": "yes-no",
        "tie_rule": "status_quo",
        "secrecy": "open",
        "delegation": "none",
        "recusal": "declared",
        "proposers": "members",
        "dissent_hours": "7 days",
    }
    ends = {"override_threshold": "75 %", "sunset_days": "120", "review_days": "30"}
    ends |= {"evaluators": "any"}
    rules = {
        AUTHORISE: common
        | {"threshold": "2/3", "comparison": "at_least"}
        | {"emergency": "clerk", "emergency_hours": "14 days"}
        | ends,
        MOTION: common | {"threshold": "1/2", "comparison": "more_than"},
        ELECTION: common | {"method": "approval", "highest": "5", "tie_rule": "lot"},
    }
    data = {f"{kind}-{name}": value for kind in rules for name, value in rules[kind].items()}
    return data | changes | {"act": act}


def adopted():
    return PendingLeaf.objects.filter(type="proposals.charter.adopted").count()


def test_the_page_begins_with_rules_that_can_be_adopted_as_they_are(client, body):
    page = client.get(address(body))
    sent = {field.html_name: field.value() for form in page.context["forms"] for field in form}
    answer = client.post(address(body), {**sent, "act": "adopt"})
    assert answer.headers["Location"] == reverse("body", args=[body.slug])
    assert Charter.objects.get(body=body).document == charter.first()


def test_the_rules_are_read_back_before_anything_is_adopted(client, body):
    page = client.post(address(body), filled()).content.decode()
    assert "Carried by at least two thirds of the votes for and against." in page
    assert "The final text stands at least 2 days before the vote." in page
    assert "at least three quarters of the votes for and against" in page
    assert not Charter.objects.exists()
    assert adopted() == 0


def test_adopting_writes_the_charter_and_its_leaf(client, body):
    client.post(address(body), filled("adopt"))
    assert Charter.objects.get(body=body).number == 1
    assert adopted() == 1
    assert "Can decide" not in client.get(reverse("body", args=[body.slug])).content.decode()


def test_going_back_keeps_what_was_entered(client, body):
    changed = {f"{AUTHORISE}-threshold": "60 %"}
    page = client.post(address(body), filled("change", **changed))
    assert page.status_code == 200
    assert 'value="60 %"' in page.content.decode()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("notice_hours", "soon", "7 days, 36 hours"),
        ("notice_hours", "-1", "7 days, 36 hours"),
        ("deliberation_hours", "900 days", "Use 0 hours to 365 days."),
        ("voting_hours", "0", "Use 1 hour to 90 days."),
        ("voting_hours", "", "This field is required."),
        ("threshold", "two thirds", "2/3, 0.6 or 60 %"),
        ("threshold", "0", "not above 0"),
        ("threshold", "3/2", "not above 0 and up to 1"),
        ("threshold", "1/0", "2/3, 0.6 or 60 %"),
        ("quorum", "2", "not from 0 to 1"),
        ("override_threshold", "1/2", "between the threshold and 1"),
        ("base", "everybody", "not one of the available choices"),
        ("sunset_days", "0", "greater than or equal to 1"),
    ],
)
@pytest.mark.parametrize("act", ["check", "adopt"])
def test_a_rule_that_makes_no_sense_is_refused_at_its_field(client, body, act, name, value, words):
    field = f"{AUTHORISE}-{name}"
    answer = client.post(address(body), filled(act, **{field: value}))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'<a href="#id_{field}">' in page
    assert words in page
    assert not Charter.objects.exists()


def test_all_mistakes_are_said_at_once_each_at_its_field_and_none_that_is_none(client, body):
    wrong = {
        f"{AUTHORISE}-quorum": "2",
        f"{AUTHORISE}-notice_hours": "soon",
        f"{AUTHORISE}-secrecy": "secret",
        f"{AUTHORISE}-delegation": "transitive",
        f"{AUTHORISE}-review_days": "400",
        f"{MOTION}-threshold": "100 %",
        f"{MOTION}-comparison": "more_than",
        f"{MOTION}-voting_hours": "",
    }
    answer = client.post(address(body), filled("check", **wrong))
    page = answer.content.decode()
    summary = page.partition("error-summary")[2].partition("</ul>")[0]
    assert (answer.status_code, "6 rules need mending" in page) == (422, True), summary
    assert re.findall(r"#id_([a-z_-]+)", summary) == [
        f"{AUTHORISE}-notice_hours",
        f"{AUTHORISE}-quorum",
        f"{AUTHORISE}-delegation",
        f"{AUTHORISE}-review_days",
        f"{MOTION}-voting_hours",
        f"{MOTION}-comparison",
    ]
    assert not Charter.objects.exists()


def test_what_rests_on_a_mistake_is_not_said_before_it_is_mended(client, body):
    wrong = {f"{AUTHORISE}-threshold": "two thirds", f"{AUTHORISE}-override_threshold": "1/10"}
    page = client.post(address(body), filled("check", **wrong)).content.decode()
    assert "2/3, 0.6 or 60 %" in page
    assert "between the threshold and 1" not in page


def test_more_than_all_can_never_be_met_and_is_refused(client, body):
    unmet = {f"{MOTION}-threshold": "100 %", f"{MOTION}-comparison": "more_than"}
    answer = client.post(address(body), filled("adopt", **unmet))
    assert answer.status_code == 422
    assert "can never be met" in answer.content.decode()


def test_only_an_administrator_finds_the_page(client, body):
    client.force_login(make_person("An outsider"))
    assert client.get(address(body)).status_code == 404
    assert client.post(address(body), filled("adopt")).status_code == 404
    client.logout()
    assert client.get(address(body)).status_code == 302
    assert not Charter.objects.exists()


def test_an_administrator_cannot_replace_a_charter(client, body, administrator):
    client.post(address(body), filled("adopt"))
    answer = client.post(address(body), filled("adopt"))
    assert answer.status_code == 409
    assert "takes a decision of the body" in answer.content.decode()
    assert "only it can change that" in client.get(address(body)).content.decode()
    with pytest.raises(Conflict):
        adopt_charter(by=administrator, body=body, document=charter.usual())
    assert adopted() == 1


def test_the_administrators_page_leads_to_the_charter_until_there_is_one(client, body):
    page = reverse("administration-body", args=[body.slug])
    assert "Enter its first charter" in client.get(page).content.decode()
    client.post(address(body), filled("adopt"))
    assert "Enter its first charter" not in client.get(page).content.decode()


def test_nobody_else_adopts_a_charter(body):
    with pytest.raises(NotAllowed):
        adopt_charter(by=make_person("An outsider"), body=body, document=charter.usual())


# -- Notice ----------------------------------------------------------------------------------


def test_a_vote_waits_for_the_notice_of_the_final_text():
    cast = make_cast(charter=quick_charter(notice_hours=24), body={"time_zone": "Asia/Tokyo"})
    proposal = make_final_proposal(cast)
    with pytest.raises(Conflict, match=r"notice of the final text until .* JST"):
        voting.open_vote(by=cast.clerk, proposal=proposal)
    proposal.status_changed_at = timezone.now() - timedelta(hours=24)
    proposal.save()
    assert voting.open_vote(by=cast.clerk, proposal=proposal)


def test_the_page_says_until_when_the_notice_runs(client):
    cast = make_cast(charter=quick_charter(notice_hours=24), body={"time_zone": "Asia/Tokyo"})
    proposal = make_final_proposal(cast)
    client.force_login(cast.clerk)
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert "The text is final; its notice is running." in page
    assert "JST" in page
    assert "Open the vote</button>" not in page


# -- Words -----------------------------------------------------------------------------------


def test_a_charter_without_notice_is_read_as_before():
    document = charter.usual()
    assert charter.read(document)[ProposalType.MOTION].notice_hours == 0


def test_the_words_of_a_motion_leave_out_what_it_never_uses():
    rules = charter.read(charter.first())
    words = " ".join(rules[ProposalType.MOTION].words(ProposalType.MOTION))
    assert "criterion" not in words
    assert "authorisation" not in words


def test_the_words_name_no_time_of_no_hours():
    rules = charter.read(quick_charter())[ProposalType.AUTHORISE].words()
    assert not [line for line in rules if "0 hours" in line]
    assert "Deliberation has no set length; a clerk ends it." in rules


def test_the_words_warn_of_a_minority_that_carries():
    document = charter.usual()
    document[MOTION]["vote"] |= {"threshold": "1/3"}
    words = charter.read(document)[ProposalType.MOTION].words(ProposalType.MOTION)
    assert "Fewer than half suffice: it can be carried against a majority." in words


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        (MOTION, {"method": "schulze"}, "method must be one of yes-no, consent"),
        (ELECTION, {"method": "yes-no"}, "method must be one of approval"),
        (ELECTION, {"method": ["irv"]}, "method must be one of approval"),
        (ELECTION, {"highest": 0}, "highest must be a whole number from 1 to 1000"),
        (MOTION, {"delegation": "sometimes"}, "delegation must be one of none, transitive"),
        (MOTION, {"recusal": 1}, "recusal must be one of none, declared"),
        (MOTION, {"secrecy": "secret", "delegation": "transitive"}, "delegation must be none"),
        (MOTION, {"secrecy": "whispered"}, "secrecy must be one of open, secret"),
    ],
)
def test_a_method_that_cannot_decide_such_a_thing_is_refused(kind, changes, words):
    document = charter.usual()
    document[kind] |= changes
    with pytest.raises(CharterError, match=rf"{kind}: {words}"):
        charter.read(document)


def test_a_vote_by_consent_has_no_rule_for_ties():
    document = charter.usual()
    document[MOTION]["method"] = "consent"
    charter.read(document)
    document[MOTION]["vote"]["tie_rule"] = "lot"
    with pytest.raises(CharterError, match="cannot be tied"):
        charter.read(document)


def test_the_words_say_method_quorum_base_tie_rule_and_secrecy():
    document = charter.usual()
    document[ELECTION] |= {"method": "score", "highest": 7, "secrecy": "secret"}
    document[ELECTION]["vote"] |= {"quorum_base": "members", "tie_rule": "chair"}
    words = " ".join(charter.read(document)[ProposalType.ELECTION].words(ProposalType.ELECTION))
    for part in ("Points go from 0 to 7", "each counted once", "casting vote", "never how"):
        assert part in words
    assert "Carried by" not in words


def test_a_charter_without_rules_on_elections_is_read_and_decides_none():
    document = charter.usual()
    del document[ELECTION]
    cast = make_cast(charter=document)
    assert ProposalType.ELECTION not in Charter.objects.get(body=cast.body).kinds
    with pytest.raises(Conflict, match="does not say how to decide"):
        make_proposal(cast, type=ProposalType.ELECTION, options=["Ann", "Ben"])


def test_an_unknown_rule_is_named():
    document = charter.usual()
    document[MOTION]["colour"] = "blue"
    with pytest.raises(CharterError, match=r"general_motion: .*unknown: colour"):
        charter.read(document)


# -- The command -----------------------------------------------------------------------------


@pytest.fixture
def command(monkeypatch):
    """Call the command on the test's own database."""
    monkeypatch.setattr("oversight.web.commands.prepare_database", lambda: None)

    def call(*arguments, **options):
        out = StringIO()
        call_command("adopt_charter", *map(str, arguments), stdout=out, **options)
        return out.getvalue()

    return call


def test_the_command_adopts_its_own_example(command, body, tmp_path):
    path = tmp_path / "charter.json"
    path.write_text(command("--example"))
    said = command(body.slug, path)
    assert Charter.objects.get(body=body).digest in said
    assert "Carried by at least two thirds of the votes for and against." in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is no JSON"),
        ("[]", "one JSON object"),
        ("{}", "missing: authorise_deployment, general_motion"),
        ('{"authorise_deployment": 3, "general_motion": {}}', "authorise_deployment: give an"),
        (
            json.dumps(charter.usual()).replace('"2/3"', '"more"'),
            "authorise_deployment: threshold 'more' is not an exact number",
        ),
        (" " * 200_000, "longer than"),
    ],
)
def test_the_command_says_what_is_wrong_with_a_file(command, body, tmp_path, text, words):
    path = tmp_path / "charter.json"
    path.write_text(text)
    with pytest.raises(CommandError, match=words) as refusal:
        command(body.slug, path)
    assert refusal.value.returncode == 2
    assert not Charter.objects.exists()


def test_the_command_names_the_bodies_there_are(command, body, tmp_path):
    path = tmp_path / "charter.json"
    path.write_text(json.dumps(charter.usual()))
    with pytest.raises(CommandError, match=r"no body .*“nothing”.*new-council"):
        command("nothing", path)
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        command(body.slug, tmp_path / "missing.json")
    with pytest.raises(CommandError, match="Name the body and the file"):
        command(body.slug)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threshold", "0"),
        ("threshold", 0.5),
        ("threshold", "1e99"),
        ("threshold", "9" * 30),
        ("base", "everybody"),
        ("quorum", "2"),
        ("comparison", "about"),
    ],
)
def test_a_rule_that_cannot_be_counted_by_is_refused_in_the_readers_language(name, value):
    rules = charter.first()[MOTION]
    rules["vote"] = {**rules["vote"], name: value}
    with override("ar-xb"):
        (fault,) = charter_rules.faults_in(MOTION, rules)
    assert fault.field == name
    assert fault.problem.startswith("[")


def test_more_than_all_is_refused_in_the_readers_language():
    rules = charter.first()[MOTION]
    rules["vote"] = {**rules["vote"], "threshold": "1", "comparison": "more_than"}
    with override("de"), pytest.raises(CharterError, match="mehr als alles ist nie zu erreichen"):
        charter_rules.read_rules(MOTION, rules)


def test_a_charter_without_its_rules_says_so_in_the_readers_language():
    with override("fr"), pytest.raises(CharterError, match=r"inconnu\s: aucune"):
        charter.read({MOTION: charter.first()[MOTION]})
