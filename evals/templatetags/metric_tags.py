"""Metrics as pages name them."""

from django import template

from evals import metric_words

register = template.Library()
register.filter("metric_label", metric_words.metric_label)
