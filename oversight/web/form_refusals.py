"""A service's refusal on the form that was sent, so that nothing typed is lost."""

from django.forms import BaseForm

from oversight.web.refusals import Refusal


def put_on_form(form: BaseForm, refusal: Refusal) -> int:
    """Show a refusal on the form, beside its field where it names one; return its status."""
    named = {name: text for name, text in refusal.fields.items() if name in form.fields}
    for name, text in named.items():
        form.add_error(name, text)
    if not named:
        form.add_error(None, refusal.detail)
    return refusal.status
