"""gRPC: models and training runs."""

from __future__ import annotations

from typing import Any, Protocol

from recomesh.reco.v1 import reco_service_pb2 as svc
from recomesh.reco.v1 import reco_service_pb2_grpc as rpc

from meshkit.errors import InvalidArgument
from meshkit.process import blocking
from reco_svc.domain.model import Model, TrainingRun
from reco_svc.transport.mapping import model_to_proto, run_to_proto


class ModelUseCases(Protocol):
    """What this servicer calls; blocking."""

    def list(self, page_size: int, page_token: str) -> tuple[list[Model], str]:
        """Newest first, and the token of the next page."""
        ...

    def get(self, version: str) -> Model:
        """By version or "active"."""
        ...

    def train(self, note: str, force: bool) -> TrainingRun:
        """Asks for a run."""
        ...

    def run(self, run_id: str) -> TrainingRun:
        """By id or "latest"."""
        ...

    def activate(self, version: str) -> Model:
        """By version or "previous"."""
        ...


class ModelServicer(rpc.ModelServiceServicer):
    """See reco_service.proto."""

    def __init__(self, models: ModelUseCases) -> None:
        self._models = models

    async def ListModels(self, request: svc.ListModelsRequest, context: Any) -> svc.ListModelsResponse:
        """See reco_service.proto."""
        if not 0 <= request.page_size <= 100:
            raise InvalidArgument.of("page_size", f"1 to 100, not {request.page_size}")
        models, token = await blocking(self._models.list, request.page_size or 20, request.page_token)
        return svc.ListModelsResponse(models=map(model_to_proto, models), next_page_token=token)

    async def GetModel(self, request: svc.GetModelRequest, context: Any) -> svc.GetModelResponse:
        """See reco_service.proto."""
        return svc.GetModelResponse(model=model_to_proto(await blocking(self._models.get, request.version)))

    async def TrainModel(self, request: svc.TrainModelRequest, context: Any) -> svc.TrainModelResponse:
        """See reco_service.proto."""
        if len(request.note) > 200:
            raise InvalidArgument.of("note", "at most 200 characters")
        run = await blocking(self._models.train, request.note, request.force)
        return svc.TrainModelResponse(run=run_to_proto(run))

    async def GetTrainingRun(self, request: svc.GetTrainingRunRequest, context: Any) -> svc.GetTrainingRunResponse:
        """See reco_service.proto."""
        return svc.GetTrainingRunResponse(run=run_to_proto(await blocking(self._models.run, request.run_id)))

    async def ActivateModel(self, request: svc.ActivateModelRequest, context: Any) -> svc.ActivateModelResponse:
        """See reco_service.proto."""
        model = await blocking(self._models.activate, request.version)
        return svc.ActivateModelResponse(model=model_to_proto(model))
