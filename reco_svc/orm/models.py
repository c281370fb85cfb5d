"""Tables of the recommender. Times that are scanned in bulk are integers (microseconds or hours since 1970, UTC)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from django.db import models

from reco_svc.domain.model import EventType, RuleKind, TargetKind, TrainingState

ID_LENGTH = 128
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EVENT_CHOICES = [(int(t), t.name.lower()) for t in EventType]

if TYPE_CHECKING:  # what a field takes and gives; Django's fields are generic for type checkers only
    Text: TypeAlias = models.CharField[str, str]
    LongText: TypeAlias = models.TextField[str, str]
    Small: TypeAlias = models.SmallIntegerField[int, int]
    SmallOrNone: TypeAlias = models.SmallIntegerField[int | None, int | None]
    Number: TypeAlias = models.IntegerField[int, int]
    NumberOrNone: TypeAlias = models.IntegerField[int | None, int | None]
    Count: TypeAlias = models.PositiveIntegerField[int, int]
    Big: TypeAlias = models.BigIntegerField[int, int]
    Real: TypeAlias = models.FloatField[float, float]
    RealOrNone: TypeAlias = models.FloatField[float | None, float | None]
    Flag: TypeAlias = models.BooleanField[bool, bool]
    Time: TypeAlias = models.DateTimeField[datetime, datetime]
    TimeOrNone: TypeAlias = models.DateTimeField[datetime | None, datetime | None]
    Json: TypeAlias = models.JSONField[Any, Any]
    Bytes: TypeAlias = models.BinaryField[bytes, bytes]


def _choices(words: type[RuleKind] | type[TargetKind]) -> list[tuple[str, str]]:
    return [(w.value, w.value.replace("_", " ")) for w in words]


class InteractionRow(models.Model):
    """One event of the log."""

    event_id: Text = models.CharField("event", max_length=ID_LENGTH, primary_key=True)
    type: Small = models.SmallIntegerField(choices=EVENT_CHOICES)
    visitor_id: Text = models.CharField("visitor", max_length=ID_LENGTH)
    product_id: Text = models.CharField("product", max_length=ID_LENGTH)
    at_us: Big = models.BigIntegerField("when (µs since 1970)")
    quantity: Number = models.IntegerField(default=1)
    price: RealOrNone = models.FloatField(null=True)
    currency: Text = models.CharField(max_length=3, default="")
    order_id: Text = models.CharField("order", max_length=ID_LENGTH, default="")
    recommendation_id: Text = models.CharField("recommendation", max_length=ID_LENGTH, default="")
    position: NumberOrNone = models.IntegerField(null=True)
    placement: Text = models.CharField(max_length=64, default="")
    query: Text = models.CharField(max_length=500, default="")
    session_id: Text = models.CharField("session", max_length=ID_LENGTH, default="")

    class Meta:
        """Indexes serve the scan in order of time, a visitor's history, and a product's history in the admin plane."""

        db_table = "reco_interaction"
        verbose_name = "interaction"
        indexes = (
            models.Index(fields=["at_us", "event_id"], name="reco_interaction_at"),
            models.Index(fields=["visitor_id", "at_us"], name="reco_interaction_visitor"),
            models.Index(fields=["product_id", "at_us"], name="reco_interaction_product"),
        )

    def __str__(self) -> str:
        return f"{EventType(self.type).name.lower()} of {self.product_id or self.query!r}"

    @property
    def at(self) -> datetime:
        """When it happened, UTC."""
        return EPOCH + timedelta(microseconds=self.at_us)


class HourlyCountRow(models.Model):
    """Events of one kind on one product in one hour."""

    product_id: Text = models.CharField("product", max_length=ID_LENGTH)
    type: Small = models.SmallIntegerField(choices=EVENT_CHOICES)
    hour: Number = models.IntegerField("hour (since 1970)")
    events: Number = models.IntegerField()
    revision: Big = models.BigIntegerField()

    class Meta:
        """The constraint is the target of the upsert; the index serves followers of the counters."""

        db_table = "reco_hourly_count"
        verbose_name = "hourly count"
        constraints = (models.UniqueConstraint(fields=["product_id", "type", "hour"], name="reco_hourly_count_key"),)
        indexes = (models.Index(fields=["revision"], name="reco_hourly_count_revision"),)

    def __str__(self) -> str:
        return f"{self.events} × {EventType(self.type).name.lower()} of {self.product_id}"

    @property
    def starts_at(self) -> datetime:
        """Begin of the hour, UTC."""
        return EPOCH + timedelta(hours=self.hour)


class ErasedVisitorRow(models.Model):
    """Events of this visitor up to a moment are refused. Only a hash of the id is kept."""

    visitor_hash: Text = models.CharField(max_length=64, primary_key=True)
    erased_at_us: Big = models.BigIntegerField()

    class Meta:
        """Names the table."""

        db_table = "reco_erased_visitor"
        verbose_name = "erased visitor"


class ClockRow(models.Model):
    """A number that only grows. Who advances it holds its row lock to the end of the transaction."""

    name: Text = models.CharField(max_length=32, primary_key=True)
    value: Big = models.BigIntegerField(default=0)

    class Meta:
        """Names the table."""

        db_table = "reco_clock"


class RuleRow(models.Model):
    """A merchandising rule as people edit it; what answers is the newest `RuleSetRow`."""

    name: Text = models.CharField(max_length=120)
    enabled: Flag = models.BooleanField(default=True)
    kind: Text = models.CharField(max_length=16, choices=_choices(RuleKind))
    target_kind: Text = models.CharField(max_length=16, choices=_choices(TargetKind))
    target_value: Text = models.CharField(max_length=2_000)
    position: Count = models.PositiveIntegerField(default=1)
    factor: Real = models.FloatField(default=2.0)
    placement: Text = models.CharField(max_length=64, blank=True, default="")
    segment: Text = models.CharField("audience", max_length=128, blank=True, default="")
    starts_at: TimeOrNone = models.DateTimeField(null=True, blank=True)
    ends_at: TimeOrNone = models.DateTimeField(null=True, blank=True)
    priority: Number = models.IntegerField(default=100)

    class Meta:
        """Listed as they apply."""

        db_table = "reco_rule"
        verbose_name = "merchandising rule"
        ordering = ("priority", "id")

    def __str__(self) -> str:
        return self.name

    @property
    def rule_id(self) -> str:
        """The id that answers and explanations name."""
        return f"rule-{self.pk}"


class RuleSetRow(models.Model):
    """All rules, switched off ones included, as they stood after one change. Never changed itself."""

    version: Big = models.BigIntegerField(primary_key=True)
    created_at: Time = models.DateTimeField()
    author: Text = models.CharField(max_length=150)
    summary: Text = models.CharField(max_length=500)
    rules: Json = models.JSONField()

    class Meta:
        """Newest first."""

        db_table = "reco_rule_set"
        verbose_name = "version of the rules"
        verbose_name_plural = "versions of the rules"
        ordering = ("-version",)

    def __str__(self) -> str:
        return f"version {self.version}"


class ModelRow(models.Model):
    """A trained snapshot as listed to people."""

    version: Text = models.CharField(max_length=64, primary_key=True)
    created_at: Time = models.DateTimeField()
    active: Flag = models.BooleanField(default=False)
    facts: Json = models.JSONField(default=dict)
    quality: Json = models.JSONField(default=dict)
    embedder: Text = models.CharField(max_length=128, blank=True)
    parent: Text = models.CharField(max_length=64, blank=True)

    class Meta:
        """Newest first: versions sort by time."""

        db_table = "reco_model"
        verbose_name = "model"
        ordering = ("-version",)

    def __str__(self) -> str:
        return self.version


class TrainingRunRow(models.Model):
    """One training run. `slot` is 1 while it waits or runs and NULL afterwards; being unique, it admits one run."""

    run_id: Text = models.CharField("run", max_length=64, primary_key=True)
    state: Small = models.SmallIntegerField(choices=[(int(s), s.name.lower()) for s in TrainingState])
    slot: SmallOrNone = models.SmallIntegerField(null=True, unique=True)
    stage: Text = models.CharField(max_length=200, blank=True, default="")
    progress: Real = models.FloatField(default=0.0)
    model_version: Text = models.CharField("model", max_length=64, blank=True, default="")
    message: LongText = models.TextField(blank=True, default="")
    requested_at: Time = models.DateTimeField()
    finished_at: TimeOrNone = models.DateTimeField(null=True)
    heartbeat_at: Time = models.DateTimeField()
    facts: Json = models.JSONField(default=dict)
    note: Text = models.CharField(max_length=200, blank=True, default="")
    force: Flag = models.BooleanField(default=False)

    class Meta:
        """Newest first."""

        db_table = "reco_training_run"
        verbose_name = "training run"
        ordering = ("-requested_at", "-run_id")
        indexes = (models.Index(fields=["requested_at", "run_id"], name="reco_training_run_at"),)

    def __str__(self) -> str:
        return self.run_id


class EmbeddingRow(models.Model):
    """A vector by embedder and content hash; `vector` holds little-endian numbers of `dtype` ("<f2" or "<f4")."""

    pk = models.CompositePrimaryKey("embedder", "text_hash")
    embedder: Text = models.CharField(max_length=128)
    text_hash: Text = models.CharField(max_length=128)
    dtype: Text = models.CharField(max_length=4)
    vector: Bytes = models.BinaryField()

    class Meta:
        """Names the table."""

        db_table = "reco_embedding"
