"""The Django app that brings templates and pages."""

from __future__ import annotations

from django.apps import AppConfig


class RecoAdminConfig(AppConfig):
    """`reco_svc.transport.admin` under the label `reco_admin`."""

    name = "reco_svc.transport.admin"
    label = "reco_admin"
    verbose_name = "Recommender"
