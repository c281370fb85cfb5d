"""Routes of the admin plane: Django's admin at the root."""

from __future__ import annotations

from django.urls import path

from reco_svc.transport.admin.site import open_site

urlpatterns = [path("", open_site().urls)]
