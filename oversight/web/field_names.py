"""What Django calls a field that has no label of its own: its name, here marked for translation.

`components/_field.html` translates every label as it is shown; a test looks for fields that are
missing here.
"""

from django.utils.translation import gettext_noop as _

FIELD_NAMES = frozenset(
    {
        _("Answer"),
        _("Audience"),
        _("Authority"),
        _("Body"),
        _("Category"),
        _("Choices"),
        _("Deployment"),
        _("Description"),
        _("Endpoint"),
        _("Languages"),
        _("Licence"),
        _("Metric"),
        _("Name"),
        _("Operator"),
        _("Own"),
        _("Page"),
        _("Prompt"),
        _("Purpose"),
        _("Regions"),
        _("Role"),
        _("Seed"),
        _("Severity"),
        _("Source"),
        _("Statement"),
        _("Suite"),
        _("Summary"),
        _("Target"),
        _("Text"),
        _("Threshold"),
        _("Title"),
        _("Visibility"),
        _("Website"),
    }
)
