"""Tables of the record. The database itself refuses to change or remove what stands on it.

The triggers are in the migration `0002_append_only`; they are a seat belt, the proof is the tree.
"""

import json
import uuid
from functools import cached_property
from typing import Any

from django.db import models
from django.db.models.functions import Length
from django.db.models.lookups import LessThan

from oversight.ledger.leaf import MAX_LEAF_BYTES
from oversight.ledger.queries import (
    CheckpointQuerySet,
    LedgerEntryQuerySet,
    PendingLeafQuerySet,
)

DIGEST_CHARACTERS = 71
"""`sha256:` and 64 hexadecimal digits."""


def next_position() -> models.Func:
    """Return the database expression that numbers pending leaves as they are written."""
    return models.Func(
        models.Value("ledger_pending_position"),
        function="nextval",
        output_field=models.BigIntegerField(),
    )


class Leaf(models.Model):
    """What a pending leaf and an entry have in common: the bytes and what is read out of them."""

    body = models.BinaryField(help_text="The exact bytes of the leaf: canonical JSON.")
    leaf_hash = models.CharField(max_length=DIGEST_CHARACTERS)
    type = models.CharField(max_length=204)
    actor = models.CharField(max_length=201)
    subject = models.CharField(max_length=201)

    class Meta:
        abstract = True

    @cached_property
    def content(self) -> dict[str, Any]:
        """The leaf as read from its bytes."""
        content: dict[str, Any] = json.loads(bytes(self.body))
        return content


class PendingLeaf(Leaf):
    """An act that is committed and waits to be put on the record.

    `position` orders the acts: one that could see another's effect has the higher position. It is
    no index of the log and may have gaps. A row can be deleted only once its bytes are an entry.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    position = models.BigIntegerField(db_default=next_position(), editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PendingLeafQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "pending leaves"
        constraints = [
            models.CheckConstraint(
                condition=LessThan(Length("body"), MAX_LEAF_BYTES + 1),
                name="ledger_pendingleaf_is_short",
            ),
        ]
        indexes = [
            # The sequencer's next batch.
            models.Index(fields=["position"], name="ledger_pending_position_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.type} of {self.subject} (pending)"


class LedgerEntry(Leaf):
    """A leaf on the record, at its index of the log. Never changed, never removed."""

    index = models.BigIntegerField(primary_key=True)
    leaf_id = models.UUIDField(unique=True)
    sequenced_at = models.DateTimeField()

    objects = LedgerEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "ledger entries"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(index__gte=0), name="ledger_entry_index_is_a_count"
            ),
        ]
        indexes = [
            # "Find my receipt" by leaf hash.
            models.Index(fields=["leaf_hash"], name="ledger_entry_leaf_hash_idx"),
            # Everything about one subject, and the explorer's search by the beginning of one.
            models.Index(
                fields=["subject", "index"],
                opclasses=["varchar_pattern_ops", "int8_ops"],
                name="ledger_entry_subject_idx",
            ),
            # Everything by one actor, and the explorer's search by the beginning of one.
            models.Index(
                fields=["actor", "index"],
                opclasses=["varchar_pattern_ops", "int8_ops"],
                name="ledger_entry_actor_idx",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.index}: {self.type} of {self.subject}"


class Tile(models.Model):
    """The hashes of one tile as far as it has grown; earlier partial tiles are its prefixes."""

    pk = models.CompositePrimaryKey("level", "index")
    level = models.PositiveSmallIntegerField()
    index = models.BigIntegerField()
    data = models.BinaryField()

    def __str__(self) -> str:
        return f"tile {self.level}/{self.index}"


class Head(models.Model):
    """How large the stored tree is and its root: one row, moved by compare and swap.

    It may be ahead of the newest checkpoint for as long as a signature takes.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    size = models.BigIntegerField()
    root = models.CharField(max_length=DIGEST_CHARACTERS)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="ledger_head_is_one_row"),
        ]

    def __str__(self) -> str:
        return f"head of {self.size} entries"


class Checkpoint(models.Model):
    """A tree head that the log has signed, with the exact signed note and the key that made it."""

    size = models.BigIntegerField(primary_key=True)
    root = models.CharField(max_length=DIGEST_CHARACTERS)
    note = models.TextField()
    vkey = models.TextField()
    signed_at = models.DateTimeField()

    objects = CheckpointQuerySet.as_manager()

    def __str__(self) -> str:
        return f"checkpoint of {self.size} entries"


class Cosignature(models.Model):
    """A witness's signature of a checkpoint: it saw this tree, and nothing that contradicts it."""

    size = models.BigIntegerField()
    key_id = models.CharField(max_length=8)
    witness = models.CharField(max_length=200)
    line = models.TextField(help_text="The signature line as it stands under the checkpoint.")
    signed_at = models.DateTimeField()

    class Meta:
        constraints = [
            # One line per key and checkpoint; also serves the lookup by size.
            models.UniqueConstraint(fields=["size", "key_id"], name="ledger_cosignature_is_single"),
        ]

    def __str__(self) -> str:
        return f"{self.witness} on {self.size} entries"


class Quorum(models.Model):
    """A checkpoint that as many witnesses have cosigned as the policy asks for."""

    size = models.BigIntegerField(primary_key=True)
    reached_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"quorum for {self.size} entries"


class Timestamp(models.Model):
    """An authority's answer (RFC 3161): the checkpoint's text was there at `stamped_at`."""

    size = models.BigIntegerField(primary_key=True)
    authority = models.CharField(max_length=300)
    stamped_at = models.DateTimeField(help_text="By the authority's clock.")
    created_at = models.DateTimeField(auto_now_add=True)
    answer = models.BinaryField(help_text="The whole answer (DER).")

    def __str__(self) -> str:
        return f"timestamp of {self.size} entries"


class WitnessReport(models.Model):
    """A checkpoint that a witness refused, with its answer: evidence for people to look into."""

    witness = models.CharField(max_length=200)
    size = models.BigIntegerField()
    status = models.PositiveSmallIntegerField()
    answer = models.TextField(blank=True)
    note = models.TextField(help_text="The signed checkpoint that was shown to the witness.")
    reported_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-reported_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["witness", "size", "status"], name="ledger_witnessreport_is_news"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.witness} answered {self.status} to {self.size} entries"


class Opening(models.Model):
    """Private content to which a leaf committed, kept so that it can be shown, or erased, later."""

    leaf_id = models.UUIDField()
    field = models.CharField(max_length=80)
    salt = models.BinaryField()
    value = models.JSONField()

    class Meta:
        constraints = [
            # One content per field of a leaf; also serves the lookup.
            models.UniqueConstraint(fields=["leaf_id", "field"], name="ledger_opening_is_single"),
        ]

    def __str__(self) -> str:
        return f"opening of {self.field} in {self.leaf_id}"


class RecordCheck(models.Model):
    """One daily check of the whole record, and what it found."""

    checked_at = models.DateTimeField()
    is_sound = models.BooleanField()
    entries = models.PositiveBigIntegerField(default=0)
    finding = models.TextField(blank=True, help_text="The first thing that did not hold.")

    class Meta:
        ordering = ["-checked_at", "-id"]

    def __str__(self) -> str:
        return f"{self.checked_at:%d %b %Y %H:%M}: {'sound' if self.is_sound else self.finding}"
