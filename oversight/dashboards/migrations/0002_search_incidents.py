"""An index on the public words of incidents, for the search."""

from django.db import migrations


class Migration(migrations.Migration):
    """Make the index."""

    dependencies = [("dashboards", "0001_search"), ("incidents", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "CREATE INDEX search_incident ON incidents_incident "
            "USING gin (oversight_words(title || ' ' || text))",
            "DROP INDEX search_incident",
        )
    ]
