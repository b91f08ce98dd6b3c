"""Keeps the words of long texts beside them: ranking found texts took longer than finding them."""

from django.db import migrations

# The indexes stay on the expressions, which say the same.
KEPT = {
    "proposals_revision": "title || ' ' || summary || ' ' || body_markdown",
    "proposals_comment": "text",
}


class Migration(migrations.Migration):
    """Add the columns; the database fills and keeps them."""

    dependencies = [("dashboards", "0002_search_incidents")]
    operations = [
        migrations.RunSQL(
            f"ALTER TABLE {table} ADD COLUMN search_words tsvector "
            f"GENERATED ALWAYS AS (oversight_words({words})) STORED",
            f"ALTER TABLE {table} DROP COLUMN search_words",
        )
        for table, words in KEPT.items()
    ]
