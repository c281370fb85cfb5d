"""The settings of every process, for the commands that look after all of them."""

from __future__ import annotations

from collections.abc import Mapping

from meshkit.settings import MeshSettings


def settings_classes() -> Mapping[str, type[MeshSettings]]:
    """Settings class by process."""
    from catalog_svc.settings import CatalogSettings
    from edge.settings import EdgeSettings
    from profile_svc.settings import ProfileSettings
    from queue_workers.settings import WorkerSettings
    from reco_svc.settings import RecoSettings

    return {
        "edge": EdgeSettings,
        "catalog": CatalogSettings,
        "reco": RecoSettings,
        "profile": ProfileSettings,
        "workers": WorkerSettings,
    }


def known_names() -> frozenset[str]:
    """Names of all fields of all processes."""
    return frozenset(name for cls in settings_classes().values() for name in cls.model_fields)
