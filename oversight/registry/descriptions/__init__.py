"""What a version, a use or an endpoint says of itself: fields of a known shape, checked. Pure.

The fields of versions and uses are those that public registers ask for (the Dutch
Algoritmeregister, the UK's Algorithmic Transparency Recording Standard, Annex VIII of the EU's AI
Act) and that readers look for; none has to be filled. A description can be written anew at any
time; each is numbered, kept, and on the record by the digest of its document.
"""

from oversight.registry.descriptions.items import DATA, DEPLOYMENT, ENDPOINT, ITEMS, VERSION, Item
from oversight.registry.descriptions.reading import DescriptionError, Document, read
from oversight.registry.descriptions.texts import as_texts, parts, said, typed

__all__ = [
    "DATA",
    "DEPLOYMENT",
    "ENDPOINT",
    "ITEMS",
    "VERSION",
    "DescriptionError",
    "Document",
    "Item",
    "as_texts",
    "parts",
    "read",
    "said",
    "typed",
]
