"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig

LABEL = "reco_store"


class RecoStoreConfig(AppConfig):
    """`reco_svc.orm` under the label `reco_store`."""

    name = "reco_svc.orm"
    label = LABEL
    verbose_name = "Recommendations"
    default_auto_field = "django.db.models.BigAutoField"
