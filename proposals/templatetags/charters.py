"""What the administrators' page of a body says about its charter."""

from django import template

from oversight.accounts.models import Body
from proposals.models import Charter

register = template.Library()


@register.filter
def newest_charter(body: Body) -> Charter | None:
    """Return the charter in force, if the body has one."""
    return Charter.objects.filter(body=body).first()
