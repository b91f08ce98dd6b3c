"""Settings that are read out of addresses."""

import pytest

from oversight import env


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("", env.Mail("filebased")),
        ("console:", env.Mail("console")),
        (
            "smtp://ann%40town.example:p%2Fw@mail.example",
            env.Mail("smtp", "mail.example", 587, "ann@town.example", "p/w", starts_tls=True),
        ),
        ("smtps://mail.example:465", env.Mail("smtp", "mail.example", 465, is_encrypted=True)),
    ],
)
def test_an_address_says_where_mail_goes(monkeypatch, address, found):
    monkeypatch.setenv("EMAIL_URL", address)
    assert env.mail("EMAIL_URL", "file:", start_tls=True) == found


def test_smtp_begins_in_the_clear_only_where_that_is_allowed(monkeypatch):
    monkeypatch.setenv("EMAIL_URL", "smtp://mail.example")
    assert not env.mail("EMAIL_URL", "file:", start_tls=False).starts_tls


@pytest.mark.parametrize("address", ["", "mail.example", "http://mail.example", "file:/tmp"])
def test_what_is_no_way_to_send_mail_is_refused_by_name(monkeypatch, address):
    monkeypatch.setenv("EMAIL_URL", address)
    with pytest.raises(env.ConfigurationError, match="EMAIL_URL must be smtp://"):
        env.mail("EMAIL_URL", "", start_tls=True)


def test_the_address_of_a_page_is_one_or_nothing(monkeypatch):
    monkeypatch.delenv("SOURCE_URL", raising=False)
    assert env.web_page("SOURCE_URL") == ""
    monkeypatch.setenv("SOURCE_URL", "https://code.example.org/a/b")
    assert env.web_page("SOURCE_URL") == "https://code.example.org/a/b"
    for wrong in ("code.example.org", "javascript:alert(1)", "ftp://code.example.org"):
        monkeypatch.setenv("SOURCE_URL", wrong)
        with pytest.raises(env.ConfigurationError, match="SOURCE_URL="):
            env.web_page("SOURCE_URL")
