"""Languages: addresses, what is cached and stored, catalogues, marks in templates."""

import gettext
import importlib
import pkgutil
import re
import shutil
import subprocess
import sys
from pathlib import Path

import django.conf
import pytest
from django.conf import settings
from django.forms import HiddenInput
from django.forms.forms import BaseForm
from django.forms.utils import pretty_name
from django.template import engines
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import dates, timezone, translation

from oversight.accounts.models import Notice, NoticeSettings
from oversight.accounts.notices import send_mail_to
from oversight.accounts.services import notify
from oversight.web import catalogues, languages
from oversight.web.field_names import FIELD_NAMES
from oversight.web.figures import grouped, localised
from oversight.web.languages import filled
from oversight.web.moments import ago, when
from oversight.web.templatetags.oversight_tags import decimal3, percent1
from proposals.forms.texts import TextForm
from tests import factories

ROOT = Path(settings.BASE_DIR)
CATALOGUES = sorted((ROOT / "locale").glob("*/LC_MESSAGES/django.po"))
TRANSLATED = ["fr", "de"]


@pytest.fixture
def person(db):
    return factories.make_person()


def html(answer):
    return answer.content.decode()


# -- Addresses -------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("language", TRANSLATED)
def test_a_page_has_an_address_in_each_language_and_says_which_it_is(client, language):
    answer = client.get(f"/{language}/record/")
    assert answer.status_code == 200
    assert f'<html lang="{language}" dir="ltr">' in html(answer)
    assert answer["Content-Language"] == language
    for code, _name in settings.LANGUAGES:
        other = languages.in_language("/record/", code)
        assert f'hreflang="{code}" href="{settings.PUBLIC_URL}{other}"' in html(answer)
        assert re.search(rf'<a href="{other}" lang="{code}" hreflang="{code}"', html(answer))


@pytest.mark.django_db
def test_nothing_but_the_address_chooses_the_language(client):
    client.cookies["django_language"] = "fr"
    answer = client.get("/record/", headers={"accept-language": "de, fr;q=0.9"})
    assert '<html lang="en" dir="ltr">' in html(answer)
    assert "Accept-Language" not in answer.get("Vary", "")


@pytest.mark.django_db
def test_links_of_a_page_stay_in_its_language_and_those_to_files_have_none(client):
    page = html(client.get("/de/record/"))
    assert 'href="/de/in-service/"' in page
    assert not re.findall(r'href="/de/(?:api|log)/', page)
    assert not re.findall(r'href="/de/[^"]*\.(?:json|csv|zip|atom|parquet)"', page)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/fr/incidents.json", "/de/api/v1/models/?page=2", "/fr/log/checkpoint", "/de/healthz"]
)
def test_what_programs_read_has_one_address_in_all_languages(client, path):
    answer = client.get(path)
    assert answer.status_code == 301
    assert answer["Location"] == languages.without_language(path)


@pytest.mark.django_db
def test_the_page_about_the_api_is_a_page_in_each_language(client):
    page = html(client.get("/fr/api/docs/"))
    assert '<html lang="fr"' in page
    assert 'href="/fr/data/"' in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/api/v1/nothing/", "/api/v2/", "/log/nothing", "/data/nothing.csv"]
)
def test_a_program_is_told_in_a_document_that_nothing_is_there(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["title"] == "Not found"


@pytest.mark.django_db
def test_a_person_who_follows_a_dead_link_to_a_file_gets_a_page(client):
    answer = client.get("/data/nothing.csv", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.django_db
def test_a_language_that_is_not_spoken_is_no_address(client):
    assert client.get("/it/record/").status_code == 404
    assert client.get("/en/record/").status_code == 404


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("/fr/record/", "/record/"),
        ("/fr/", "/"),
        ("/record/", "/record/"),
        ("/french/", "/french/"),
        ("/frame/x", "/frame/x"),
        ("", ""),
    ],
)
def test_a_stable_address_is_the_one_without_a_language(path, plain):
    assert languages.without_language(path) == plain


@pytest.mark.django_db
def test_the_limit_of_a_body_holds_in_every_language():
    answer = Client().post(
        "/fr/incidents/report/", b"x", "text/plain", CONTENT_LENGTH=str(10_000_000)
    )
    assert answer.status_code == 413


# -- What is told and kept -------------------------------------------------------------------


@pytest.mark.django_db
def test_a_notice_is_in_its_readers_language_and_keeps_the_stable_address(person):
    NoticeSettings.objects.create(person=person, language="ar-xb")
    with translation.override("fr"):
        notify(
            people=[person],
            subject=filled(translation.gettext_lazy("%(votes)s for"), votes=3),
            text=translation.gettext_lazy("Not allowed"),
            path=reverse("record"),
        )
    row = Notice.objects.get(person=person)
    assert row.subject == catalogues.pseudo("%(votes)s for") % {"votes": 3}
    assert row.text == catalogues.pseudo("Not allowed")
    assert row.path == "/record/"


@pytest.mark.django_db(transaction=True)
def test_a_mail_speaks_the_language_that_its_reader_chose(person, mailoutbox):
    from django.core.mail import get_connection

    NoticeSettings.objects.create(person=person, language="ar-xb")
    notify(people=[person], subject="Something", text="", path="/record/")
    Notice.objects.update(mail_at=timezone.now())
    assert send_mail_to(person_id=person.pk, mailer=get_connection())
    assert f"{settings.PUBLIC_URL}/ar-xb/record/" in mailoutbox[0].body
    assert catalogues.pseudo("No more such mail") in mailoutbox[0].alternatives[0][0]
    assert 'dir="rtl"' in mailoutbox[0].alternatives[0][0]


# -- Figures and times -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "figure", "score"),
    [("en", "4,812", "0.650"), ("fr", "4\xa0812", "0,650"), ("de", "4.812", "0,650")],
)
def test_figures_are_written_as_the_language_writes_them(language, figure, score):
    with translation.override(language):
        assert grouped(4812) == figure
        assert decimal3(0.65) == score
        assert percent1(0.8235) == localised("82.4") + "\xa0%"


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_text_of_ours_takes_the_name_of_a_month_or_a_day(language):
    """Our catalogues come before Django's: a heading “May” once made dates of “3 Peut 2027”."""
    path = Path(django.conf.__file__).parent / "locale" / language / "LC_MESSAGES" / "django.mo"
    with path.open("rb") as file:
        djangos = gettext.GNUTranslations(file)
    names = [
        name
        for each in (dates.WEEKDAYS, dates.WEEKDAYS_ABBR, dates.MONTHS, dates.MONTHS_3)
        for name in each.values()
    ]
    with translation.override("en"):
        wanted = [djangos.gettext(str(name)) for name in names]
    with translation.override(language):
        assert [str(name) for name in names] == wanted


def test_times_are_written_as_the_language_writes_them():
    moment = timezone.datetime(2026, 11, 26, 17, 0, tzinfo=timezone.get_default_timezone())
    with translation.override("en"):
        assert "26 Nov 2026, 17:00\xa0CET" in when(moment)
    with translation.override("fr"):
        assert "novembre" in when(moment, "long")
        assert 'datetime="2026-11-26T16:00:00Z"' in when(moment)
    with translation.override("ar-xb"):
        assert catalogues.pseudo("%(amount)s ago") % {"amount": "5 min"} in ago(
            timezone.now() - timezone.timedelta(minutes=5)
        )


# -- Catalogues ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_what_gettext_reads_is_the_catalogue(path, tmp_path):
    import gettext

    messages = catalogues.parse(path.read_text("utf-8"))
    assert messages[0].msgid == ""
    (tmp_path / "x.mo").write_bytes(catalogues.compiled(messages))
    with (tmp_path / "x.mo").open("rb") as file:
        found = gettext.GNUTranslations(file)
    for each in messages[1:]:
        if each.is_complete and not each.plural and each.context is None:
            assert found.gettext(each.msgid) == each.translations[0]
        if each.is_complete and each.plural:
            one, many = found.ngettext(each.msgid, each.plural, 1), each.translations
            assert one == many[0]
            assert found.ngettext(each.msgid, each.plural, 5) == many[1]


def kept(text):
    """Return what a translation must keep: gaps, tags and their addresses, entities."""
    return sorted(set(re.findall(r"%\(\w+\)s|</?[a-z]+|href=\"[^\"]*\"|class=\"[^\"]*\"", text)))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_a_translation_keeps_the_gaps_and_the_tags_of_its_text(path):
    wrong = []
    for each in catalogues.parse(path.read_text("utf-8"))[1:]:
        sources = [each.msgid, each.plural or each.msgid]
        for form, text in each.translations.items():
            wanted = kept(sources[min(form, 1)])
            # One of something may be said without its figure.
            if text and kept(text) != wanted and not (each.plural and form == 0):
                wrong.append((each.msgid[:80], sorted(set(wanted) ^ set(kept(text)))))
    assert wrong == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_a_catalogue_that_is_called_complete_has_every_text(path):
    """The head says `X-Complete: yes` from the day on which everything was translated."""
    head, *messages = catalogues.parse(path.read_text("utf-8"))
    if "X-Complete: yes" in head.translations[0]:
        assert [each.msgid[:80] for each in messages if not each.is_complete] == []


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="needs GNU gettext")
def test_the_catalogues_hold_what_is_marked_and_nothing_else(tmp_path):
    """`.ci/messages`, run on a copy of the code, changes no text of a catalogue."""
    wanted = ["evals", "oversight", "proposals", "templates", "locale", "manage.py", ".ci/messages"]
    names = subprocess.run(
        ["git", "ls-files", "-z", *wanted], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode()
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    subprocess.run(["bash", ".ci/messages"], cwd=tmp_path, capture_output=True, check=True)
    for path in CATALOGUES:
        made = catalogues.parse((tmp_path / path.relative_to(ROOT)).read_text("utf-8"))[1:]
        kept = catalogues.parse(path.read_text("utf-8"))[1:]
        assert {(each.context, each.msgid) for each in made} == {
            (each.context, each.msgid) for each in kept
        }, "run .ci/messages"


@pytest.mark.parametrize("head", ["X-Complete: yes", "X-Complete: no", ""])
def test_a_language_is_offered_once_its_catalogue_is_called_complete(tmp_path, head):
    path = tmp_path / "it" / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True)
    path.write_text(f'msgid ""\nmsgstr ""\n"Language: it\\n"\n"{head}\\n"\n')
    assert catalogues.says_complete(tmp_path, "it") == (head == "X-Complete: yes")


def test_a_site_of_one_language_offers_no_choice(client, db, settings):
    assert "language-choice" in client.get("/").content.decode()
    settings.LANGUAGES = [("en", "English")]
    page = client.get("/").content.decode()
    assert "language-choice" not in page
    assert "hreflang" not in page


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_a_catalogue_says_that_a_machine_made_it(path):
    language = path.parts[-3]
    assert ("machine-made" in path.read_text("utf-8")[:600]) != languages.is_reviewed(language)


# -- Marks in templates ----------------------------------------------------------------------

UNMARKED = {
    "design.html": "specimens with invented content, for who builds pages",
    "500.html": "answers without the database, in English",
}
WORDS = re.compile(r"[A-Za-z]{3}")
MARKED = re.compile(
    r"{%-?\s*(comment|blocktranslate|verbatim)\b.*?{%\s*end\1\s*%}"
    r"|<(script|style|svg|pre|code)\b.*?</\2>|<!--.*?-->|<!doctype[^>]*>|{#.*?#}|&lt;\w+&gt;|&#?\w+;",
    re.DOTALL,
)
# What is the same in every language: names, addresses, files, attributes that a block holds.
NAMES = re.compile(
    r"\b(?:oversight|English|SHA-256|sha256|JSON|CSV|Parquet|API|SVG|PNG|POST)\b|^ ?(?:hx|enc).*"
    r"|^ ?[/?][a-z.].*|\bproposal:2026\b|\b[a-z-]+\.(?:json|csv|blt|pdf|zip|atom|ics)\b"
)
TAGS = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
KEY = re.compile(r"{% block nav_key %}[a-z]*{% endblock %}")
SAID = re.compile(
    r"""\b(?:title|aria-label|placeholder|alt|data-label|data-announce)="([^"]*)\"""", re.DOTALL
)


def left_in(source):
    """Return the words of a template that no mark is round."""
    source = MARKED.sub(" ", KEY.sub("", source))
    bare = TAGS.sub("", re.sub(r'_\("[^"]*"\)', "", source))
    texts = [*re.sub(r"<[^>]*>", "\n", bare).split("\n"), *SAID.findall(bare)]
    return [text.strip() for text in texts if WORDS.search(NAMES.sub("", text))]


def test_the_search_for_unmarked_words_finds_them():
    assert left_in('<p title="A title">Some {{ words }}</p>') == ["Some", "A title"]
    assert left_in('<p>{% translate "Some words" %} <code>x.json</code></p>') == []


TEMPLATES = sorted(
    path
    for path in (ROOT / "templates").rglob("*.html")
    if path.name not in UNMARKED and path.parent.name != "elements"
)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_word_of_a_template_is_marked_for_translation(path):
    assert left_in(path.read_text("utf-8")) == []


# What a browser shows or says; every other attribute is sent, compared or looked up.
SHOWN = re.compile(r"title|alt|placeholder|label|content|aria-[a-z]+|data-[a-z-]+")
TAG = re.compile(r"<[a-zA-Z](?:{%.*?%}|{{.*?}}|[^<>])*>", re.DOTALL)
ATTRIBUTE = re.compile(r"""([a-zA-Z:@-]+)="((?:{%.*?%}|{{.*?}}|[^"])*)\"""", re.DOTALL)
MARK = re.compile(r"{%-?\s*(?:translate|blocktranslate)\b|_\(")
KEYS = {"nav_key", "name", "type", "value", "tone", "href", "kind", "key", "id", "icon"}


def translated_keys(source):
    """Return what is marked for translation although a program reads it."""
    attributes = [each for tag in TAG.findall(source) for each in ATTRIBUTE.findall(tag)]
    found = [
        f"{name}={content}"
        for name, content in attributes
        if MARK.search(content) and not SHOWN.fullmatch(name)
    ]
    found += [name for name in re.findall(r'\b([a-z_]+)=_\("', source) if name in KEYS]
    found += re.findall(r"{% block nav_key %}{% translate.*?%}", source)
    return found + re.findall(r'{% (?:el)?if [^%]*[!=]= *_\("[^"]*"\)', source)


def test_the_search_for_translated_keys_finds_them():
    assert translated_keys('<button name="a" value="{% translate "give" %}">') != []
    assert translated_keys('{% include "x" with value=_("give") only %}') != []
    assert translated_keys('{% if stage == _("open") %}') != []
    assert translated_keys("{% block nav_key %}{% translate 'deciding' %}{% endblock %}") != []
    assert translated_keys('<button value="{{ x }}" title="{% translate "Give" %}">') == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_that_a_program_reads_is_translated(path):
    assert translated_keys(path.read_text("utf-8")) == []


def test_every_template_compiles():
    for path in TEMPLATES:
        engines["django"].engine.get_template(str(path.relative_to(ROOT / "templates")))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_argument_with_a_percent_sign_is_translated_in_place(path):
    """`_("95 %")` as an argument comes out as `95 %%`; `{% translate … as x %}` does not."""
    assert not re.search(r'=_\("[^"]*%', path.read_text("utf-8"))


def forms_of_the_site():
    """Return every class of form that the floors have, with all of their modules read."""
    for name in ("evals", "oversight", "proposals"):
        for found in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
            if {"forms", "filters"} & set(found.name.split(".")):
                importlib.import_module(found.name)
    waiting, classes = [BaseForm], set()
    while waiting:
        waiting += (children := waiting.pop().__subclasses__())
        classes |= {each for each in children if each.__module__.split(".")[0] != "django"}
    return [
        each
        for each in classes
        if each.__module__.split(".")[0] in ("evals", "oversight", "proposals")
    ]


def test_no_field_of_a_form_has_a_label_that_stays_english():
    unmarked = {
        f"{form.__module__}.{form.__name__}.{name}"
        for form in forms_of_the_site()
        for name, field in form.base_fields.items()
        if not isinstance(field.widget, HiddenInput)
        and type(label := field.label or pretty_name(name)) is str
        and label not in FIELD_NAMES
    }
    assert unmarked == set()


@pytest.mark.parametrize(("language", "name"), [("fr", "Titre"), ("de", "Titel")])
def test_the_name_of_a_field_is_shown_in_the_language_of_the_page(language, name):
    with translation.override(language):
        shown = render_to_string("components/_form.html", {"form": TextForm({})})
    assert shown.count(f">{name}<") == 2, (
        "beside the field and in the summary of what needs mending"
    )
    assert "Title" not in shown
