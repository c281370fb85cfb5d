"""What happens around every gRPC call: request context, access, one log line, metrics, errors to statuses."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import grpc
import grpc.aio
import structlog
from google.protobuf.message import DecodeError
from grpc_interceptor.server import AsyncServerInterceptor
from grpc_status import rpc_status

from meshkit import context, metrics
from meshkit.errors import InvalidArgument, Overloaded, RecomeshError
from meshkit.resilience.admission import Admission, Priority
from meshkit.rpc.status import to_status
from meshkit.security.rpc_audit import CHANGES
from meshkit.security.rpc_guard import RpcGuard

log = structlog.get_logger()
_QUIET = ("/grpc.health.v1.Health/", "/grpc.reflection.", "/grpc.channelz.")
_BULK = {"ImportProducts", "ImportInteractions", "UpsertProducts", "DeleteProducts"}


class CallInterceptor(AsyncServerInterceptor):
    """Binds the request, asks the guard, times and logs the call, and turns raised errors into statuses.

    What there is no room for is refused first. Calls over `slow_s` seconds and failures that are ours are logged as
    warnings; the rest at debug level, since the edge already writes one access line per shopper's request.
    """

    def __init__(self, guard: RpcGuard, admission: Admission, slow_s: float = 0.5) -> None:
        self._guard = guard
        self._admission = admission
        self._slow_s = slow_s

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """See gRPC. Bytes that are no message become a wrong request, not UNKNOWN with a Python error in its text."""
        handler: Any = await super().intercept_service(continuation, handler_call_details)  # type: ignore[no-untyped-call]
        return handler and handler._replace(request_deserializer=partial(_read, handler.request_deserializer))

    async def intercept(
        self,
        method: Callable[..., Any],
        request_or_iterator: Any,
        call: grpc.aio.ServicerContext[Any, Any],
        method_name: str,
    ) -> Any:
        """See grpc_interceptor; streams of answers are passed through."""
        sent = {k: v for k, v in call.invocation_metadata() or () if isinstance(v, str)}
        context.bind(sent.get(context.REQUEST_ID_KEY), sent.get(context.TRACEPARENT_KEY), call.time_remaining())
        started = time.perf_counter()
        code, caller = "OK", None
        try:
            if method_name.startswith(_QUIET):
                await self._guard.admit(method_name, sent, call)
                return await _answered(method, _checked(request_or_iterator), call)
            with self._admission.admitted(_priority(method_name)):
                caller = await self._guard.admit(method_name, sent, call)
                return await _answered(method, self._paced(_checked(request_or_iterator)), call)
        except grpc.aio.AbortError:
            code = "ABORT"
            raise
        except Exception as error:
            status = to_status(error)
            code = "SHED" if isinstance(error, Overloaded) else _name(status.code)
            if not isinstance(error, RecomeshError | NotImplementedError):
                log.error("call_failed", method=method_name, exc_info=True)
            fields = rpc_status.to_status(status)
            await call.abort(fields.code, fields.details, fields.trailing_metadata)
        finally:
            if caller is not None and method_name in CHANGES:
                await self._guard.record_change(method_name, caller, request_or_iterator, code)
            if not method_name.startswith(_QUIET):
                self._account(method_name, code, time.perf_counter() - started)

    def _paced(self, request_or_iterator: Any) -> Any:
        """A stream of requests is bulk work: before each of its messages shoppers have their turn."""
        if not hasattr(request_or_iterator, "__aiter__"):
            return request_or_iterator

        async def paced() -> AsyncIterator[Any]:
            async for request in request_or_iterator:
                await self._admission.turn()
                yield request

        return paced()

    def _account(self, method_name: str, code: str, took: float) -> None:
        metrics.rpc_answered(method_name, code, took)
        say = log.warning if code in ("INTERNAL", "UNAVAILABLE") or took > self._slow_s else log.debug
        say("call", method=method_name, code=code, ms=round(took * 1000, 2))


_MALFORMED = object()


def _read(deserialize: Callable[[bytes], Any] | None, body: bytes) -> Any:
    try:
        return deserialize(body) if deserialize else body
    except DecodeError:
        return _MALFORMED


def _checked(request_or_iterator: Any) -> Any:
    """The request, or the stream of requests, once it is known to be one."""
    if request_or_iterator is _MALFORMED:
        raise InvalidArgument.of("request", "is no message of this method")
    return _each_checked(request_or_iterator) if hasattr(request_or_iterator, "__aiter__") else request_or_iterator


async def _each_checked(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield _checked(request)


async def _answered(method: Callable[..., Any], request_or_iterator: Any, call: Any) -> Any:
    answer = method(request_or_iterator, call)
    return answer if hasattr(answer, "__aiter__") else await answer


def _priority(method_name: str) -> Priority:
    service, _, method = method_name.rpartition("/")
    if service.endswith(".ModelService"):
        return Priority.ADMIN
    return Priority.BULK if method in _BULK else Priority.SHOPPER


def _name(code: int) -> str:
    return next((c.name for c in grpc.StatusCode if c.value[0] == code), "UNKNOWN")
