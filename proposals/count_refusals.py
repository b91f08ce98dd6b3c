"""What the counting code refuses, in the reader's language.

That code imports nothing but Python's own library, so that anyone can run it anywhere, and speaks
English. Here each of its sentences stands once more, marked, with names for what changes in it; one
that is not among them is shown as it is.
"""

from django.utils.translation import gettext_noop as _

from oversight.web.sentences import Sentences

PATTERNS = (
    _("the file ends here; begin it with the number of candidates and of seats"),
    _("the file ends here; add the ballots, a line 0 and the names"),
    _("the file ends here; end the ballots with a line 0, then add the names"),
    _("the file ends here; candidate %(number)s of %(all)s has no name; add one name a line"),
    _("begin with two numbers: how many candidates, how many seats"),
    _("candidates must be 1 to %(most)s, not %(number)s"),
    _("seats must be 1 to %(most)s, not %(number)s"),
    _("%(text)s: write -N for a withdrawn candidate N"),
    _("candidate %(number)s is withdrawn twice"),
    _("every candidate is withdrawn; leave at least one standing"),
    _("junk after the final 0; remove it"),
    _("end the ballot with 0"),
    _("candidate %(number)s is ranked twice; keep one of the two"),
    _("withdrawn candidates stand before the first ballot; move it up"),
    _("a ballot begins with a weight such as 3, 2.5 or 1/3, not %(text)s"),
    _("%(text)s divides by 0; write a weight above 0"),
    _("a ballot's weight must be more than 0; remove the ballot"),
    _("%(text)s makes the weights too fine to add up exactly; use fewer decimals"),
    _(
        "%(text)s is no candidate; a skipped rank means different things in different rules, so "
        "leave it out"
    ),
    _("%(text)s is no candidate; junk after the final 0, or a 0 too many; remove it"),
    _("%(text)s is no candidate; use 1 to %(most)s"),
    _(
        "%(text)s stands after the title; remove it or put # before it, or correct the number: "
        "line %(line)s says there are %(number)s candidates"
    ),
    _("a candidate's name is empty; give every candidate a name"),
    _("the name %(text)s is used twice; make the names differ"),
    _("the name %(text)s is longer than %(most)s characters; shorten it"),
    _("the name %(text)s has a control character; remove it"),
    _("the title is longer than %(most)s characters; shorten it"),
    _("the title has a control character; remove it"),
    _("the file is longer than %(most)s bytes; group identical ballots"),
    _("the text is not UTF-8; save the file as UTF-8"),
    _("a name before the end of the ballots; put a line 0 before the names"),
    _(
        'a quotation mark is not closed or text follows it; write "a name", with \\" for a mark '
        "inside it"
    ),
    _("%(number)s is not between 1 and %(most)s"),
    _("longer than %(most)s characters; shorten it"),
    _("is not valid UTF-8 text; use plain characters"),
    _("the weights have no common denominator up to %(most)s; use decimals"),
    _("%(number)s is out of range; use numbers up to %(most)s"),
    _("%(text)s is not an exact number; write 3, 2.5 or 2/3 (floats are refused)"),
    _("%(text)s is not one of %(known)s"),
    _("%(number)s is not above 0 and up to 1"),
    _("%(number)s is not from 0 to 1"),
    _("more than all can never be met; use at_least"),
)

_SENTENCES = Sentences(PATTERNS)


def in_words(problem: str) -> str:
    """Return what the counting code says is wrong, in the language that is spoken."""
    return _SENTENCES.in_words(problem)
