"""Template tags and filters that every floor's pages use: `{% load oversight_tags %}`."""
