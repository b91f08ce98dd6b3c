"""What the search reads: words without accents, and indexes on the texts that grow."""

from django.db import migrations

# `unaccent` is only stable, because its rules could be changed; named with them it gives the same
# words for ever, so an index may rest on it.
WORDS = """
CREATE FUNCTION oversight_words(text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT to_tsvector('simple', public.unaccent('public.unaccent', $1)) $$
"""
INDEXES = {
    "search_revision": "proposals_revision USING gin "
    "(oversight_words(title || ' ' || summary || ' ' || body_markdown))",
    "search_comment": "proposals_comment USING gin (oversight_words(text))",
    "search_argument": "proposals_argument USING gin (oversight_words(text))",
    "search_opinion": "proposals_opinionstatement USING gin (oversight_words(text))",
}


class Migration(migrations.Migration):
    """Make the function and the indexes."""

    dependencies = [
        ("evals", "0007_aggregates_say_their_clusters"),
        ("registry", "0003_states_that_decisions_change"),
        ("proposals", "0010_amendments_by_vote"),
    ]
    operations = [
        migrations.RunSQL(
            "CREATE EXTENSION IF NOT EXISTS unaccent SCHEMA public", migrations.RunSQL.noop
        ),
        migrations.RunSQL(
            "CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public", migrations.RunSQL.noop
        ),
        migrations.RunSQL(WORDS, "DROP FUNCTION oversight_words(text)"),
        *(
            migrations.RunSQL(f"CREATE INDEX {name} ON {on}", f"DROP INDEX {name}")
            for name, on in INDEXES.items()
        ),
    ]
