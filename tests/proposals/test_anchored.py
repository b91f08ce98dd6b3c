"""Threads about a passage: how they are begun, and where they stand when the text has changed."""

import itertools

import pytest
from django.urls import reverse

from oversight.ledger.models import Opening, PendingLeaf
from oversight.web.refusals import Invalid
from proposals import anchored
from proposals.anchored import passages_of, pieces_of, quoted_in
from proposals.markdown import render_blocks, render_markdown
from proposals.models import Anchor, Comment
from proposals.services import drafting, moderation
from proposals.services.discussion import Quoted
from tests import factories
from tests.factories import make_comment

pytestmark = pytest.mark.django_db

TEXT = """\
The helpdesk needs **answers** at night. People wait until the morning, which is long.

## Conditions

- At most 20 requests a minute for each caller.
- A person takes over when the caller
  asks for one.

| what | costs |
|---|---|
| hosts | 14,000 francs |

```
code that nobody reads
```

1. First the pilot.
2. Then the vote.
"""


@pytest.fixture
def cast():
    return factories.make_cast()


@pytest.fixture
def proposal(cast):
    return factories.make_deliberated_proposal(cast, text=TEXT)


def revise(cast, proposal, text):
    number = proposal.text.number
    return drafting.revise_text(
        by=cast.member,
        proposal=proposal,
        title="T",
        summary="S",
        text=text,
        base_number=number,
    )


def remark(cast, proposal, quote, **more):
    passage = Quoted(proposal.text.number, quote, **more)
    return make_comment(cast.outsider, proposal, "Hm.", passage=passage)


def page(client, proposal):
    return client.get(proposal.get_absolute_url()).content.decode()


def address(proposal, block, number=1):
    return reverse("proposal-passage", args=[proposal.ref, number, block])


# -- Blocks and their parts


@pytest.mark.parametrize(
    "text",
    [TEXT, "", "one", "a\n\nb\n", "> quote\n> on\n\n---\n\n#\n", "[a]: http://x.y\n\n[see][a]\n"],
)
def test_the_blocks_in_a_row_are_the_whole_text(text):
    blocks = render_blocks(text)
    assert "".join(block.html for block in blocks) == render_markdown(text)
    assert [block.number for block in blocks] == list(range(1, len(blocks) + 1))
    for block, after in itertools.pairwise(blocks):
        assert block.start <= block.end <= after.start


def test_a_paragraph_is_quoted_by_its_sentences_and_a_list_by_its_items():
    blocks = render_blocks(TEXT)

    def written(block):
        return [TEXT[start:end] for start, end in pieces_of(block, TEXT)]

    assert written(blocks[0]) == [
        "The helpdesk needs **answers** at night.",
        "People wait until the morning, which is long.",
    ]
    assert written(blocks[2]) == [
        "At most 20 requests a minute for each caller.",
        "A person takes over when the caller\n  asks for one.",
    ]
    assert written(blocks[-1]) == ["First the pilot.", "Then the vote."]


# -- Beginning a thread


def test_a_remark_keeps_the_words_and_what_stood_around_them(cast, proposal):
    made = remark(cast, proposal, "14,000 francs")
    anchor = made.anchor
    assert TEXT.replace("\r", "").find(anchor.before + anchor.quote + anchor.after) >= 0
    opening = Opening.objects.get(leaf_id=made.leaf_id)
    assert opening.value == {"text": "Hm.", "passage": anchor.document}
    assert b"francs" not in bytes(PendingLeaf.objects.get(pk=made.leaf_id).body)


def test_words_may_be_quoted_as_the_page_shows_them(cast, proposal):
    made = remark(cast, proposal, "needs answers at night")
    assert made.anchor.quote == "needs **answers** at night"


@pytest.mark.parametrize(
    "passage",
    [
        Quoted(1, "words that do not stand there"),
        Quoted(1, "the"),
        Quoted(1, ""),
        Quoted(9, "14,000 francs"),
    ],
)
def test_a_passage_that_is_not_there_is_refused(cast, proposal, passage):
    with pytest.raises(Invalid):
        make_comment(cast.outsider, proposal, "Hm.", passage=passage)
    assert not Comment.objects.exists()


@pytest.mark.parametrize("sign", ["*", " ", "> ", "a "])
def test_no_text_makes_the_search_for_a_quote_endless(sign):
    text = "a " + sign * (60_000 // len(sign)) + "b"
    # Milliseconds where the pattern is linear; where it is not, this test does not end.
    assert quoted_in(text, "a " * 150 + "c") is None


def test_an_answer_has_no_passage_of_its_own(cast, proposal):
    first = make_comment(cast.outsider, proposal)
    with pytest.raises(Invalid, match="first comment"):
        make_comment(cast.member, proposal, parent=first, passage=Quoted(1, "14,000 francs"))


def test_without_scripts_a_paragraph_or_a_part_of_it_is_chosen(client, cast, proposal):
    client.force_login(cast.outsider)
    assert 'href="' + address(proposal, 3) + '"' in page(client, proposal)
    form = client.get(address(proposal, 3)).content.decode()
    assert "A person takes over when the caller asks for one." in form
    done = client.post(address(proposal, 3), {"part": "1", "text": "By when?"})
    made = Comment.objects.get()
    assert done["Location"].endswith(f"?comment={made.pk}#comment-{made.pk}")
    assert made.anchor.quote == "A person takes over when the caller\n  asks for one."
    client.post(address(proposal, 1), {"part": "whole", "text": "Which night?"})
    assert Anchor.objects.latest("pk").quote == TEXT.partition("\n")[0]


def test_the_words_that_a_browser_selects_are_quoted(client, cast, proposal):
    client.force_login(cast.outsider)
    form = client.get(address(proposal, 1) + "?quote=needs+answers++at").content.decode()
    assert 'value="selected"' in form
    sent = {"part": "selected", "quote": "needs answers at", "text": "Really?"}
    assert client.post(address(proposal, 1), sent).status_code == 302
    assert Anchor.objects.get().quote == "needs **answers** at"
    # Words that stand elsewhere are not offered, and not taken.
    assert (
        'value="selected"'
        not in client.get(address(proposal, 1) + "?quote=francs").content.decode()
    )
    sent["quote"] = "14,000 francs"
    assert client.post(address(proposal, 1), sent).status_code == 422


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"part": "7", "text": "x"},
        {"part": "whole", "text": ""},
        {"part": "whole\x00", "text": "x"},
    ],
)
def test_a_remark_that_cannot_be_used_is_refused(client, cast, proposal, sent):
    client.force_login(cast.outsider)
    assert client.post(address(proposal, 1), sent).status_code == 422
    assert not Comment.objects.exists()


@pytest.mark.parametrize(("block", "number"), [(0, 1), (99, 1), (1, 2)])
def test_a_passage_that_is_not_there_is_not_found(client, proposal, block, number):
    assert client.get(address(proposal, block, number)).status_code == 404


def test_a_visitor_reads_the_passage_and_is_asked_to_sign_in(client, cast, proposal):
    remark(cast, proposal, "14,000 francs")
    assert "Hm." in client.get(address(proposal, 4)).content.decode()
    assert "/accounts/login/" in client.post(address(proposal, 1), {"text": "x"})["Location"]


# -- When the text changes


def test_a_thread_stands_at_its_passage(client, cast, proposal):
    made = remark(cast, proposal, "14,000 francs")
    shown = page(client, proposal)
    assert "1 remark" in shown
    assert f"?comment={made.pk}#comment-{made.pk}" in shown
    assert 'About <a href="#passage-4">paragraph 4</a> of the text.' in shown
    assert [len(each.anchors) for each in passages_of(proposal, proposal.text)].index(1) == 3


def test_a_thread_follows_its_passage_to_another_place(client, cast, proposal):
    remark(cast, proposal, "At most 20 requests a minute for each caller.")
    first, _, rest = TEXT.partition("\n\n")
    revise(cast, proposal, f"{rest}\n\n{first}\n")
    assert 'About <a href="#passage-2">paragraph 2</a>' in page(client, proposal)


def test_a_thread_says_that_its_passage_was_reworded(client, cast, proposal):
    remark(cast, proposal, "At most 20 requests a minute for each caller.")
    revise(cast, proposal, TEXT.replace("At most 20 requests", "At most 30 requests"))
    shown = page(client, proposal)
    assert "has changed since" in shown
    assert "1 remark" in shown


def test_a_thread_says_that_its_passage_is_gone(client, cast, proposal):
    remark(cast, proposal, "14,000 francs")
    revise(cast, proposal, "Another text altogether, on other things.\n")
    shown = page(client, proposal)
    assert "This was about a passage that is gone" in shown
    assert f"/proposals/{proposal.ref}/revisions/1/" in shown
    assert "1 remark" not in shown


def test_a_new_revision_is_searched_a_little_at_a_time(client, cast, proposal, monkeypatch):
    quotes = ("At most 20 requests", "14,000 francs", "People wait until the morning")
    for quote in quotes:
        remark(cast, proposal, quote)
    revise(cast, proposal, TEXT.replace("each caller", "every single caller"))
    monkeypatch.setattr(anchored.Patience.__init__, "__defaults__", (1e-9,))

    def placed():
        return sum(len(each.anchors) for each in passages_of(proposal, proposal.text))

    assert [placed() for _ in range(4)] == [1, 2, 3, 3]


def test_what_was_not_looked_for_is_said_to_be_of_its_revision(client, cast, proposal, monkeypatch):
    remark(cast, proposal, "14,000 francs")
    revise(cast, proposal, TEXT.replace("each caller", "any caller at all"))
    monkeypatch.setattr(anchored.Patience.__init__, "__defaults__", (0.0,))
    assert "About a passage of" in page(client, proposal)


def test_a_hidden_remark_stands_at_no_passage(client, cast, proposal):
    made = remark(cast, proposal, "14,000 francs")
    moderation.hide(by=cast.clerk, said=made, reason="Off topic.")
    shown = page(client, proposal)
    assert "1 remark" not in shown
    assert "paragraph 4</a> of the text" not in shown


def test_a_link_to_a_comment_opens_its_page_of_the_discussion(client, cast, proposal):
    for number in range(32):
        last = make_comment(cast.outsider, proposal, f"Thought {number}")
    shown = client.get(f"{proposal.get_absolute_url()}?comment={last.pk}").content.decode()
    assert "Thought 31" in shown
    assert "Thought 1<" not in shown
    for nonsense in ("x", "-1", "9" * 30, "%00", str(last.pk + 1)):
        answer = client.get(f"{proposal.get_absolute_url()}?comment={nonsense}")
        assert answer.status_code in {200, 400}


def test_remarks_cost_no_more_queries(client, cast, proposal, django_assert_num_queries):
    text = proposal.text
    for _ in range(6):
        remark(cast, proposal, "14,000 francs")
    with django_assert_num_queries(1):
        passages_of(proposal, text)


def test_script_in_a_quote_stays_words(client, cast):
    text = "Before <script>alert(1)</script> and after it, at length."
    proposal = factories.make_deliberated_proposal(cast, text=text)
    remark(cast, proposal, "<script>alert(1)</script> and after")
    assert "<script>alert" not in page(client, proposal)
