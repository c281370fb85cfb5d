"""Real servers for tests: private folder, private port, started here and stopped by process id.

`PostgresServer`, `RedisServer` and `RabbitServer` can be killed, frozen, thawed and started again on the same data.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pika
import psutil
import psycopg2
import pytest
import redis

from bench.ports import free_ports

START_S = 90.0


def program(name: str, package: str, *folders: str) -> str:
    """Path of a program. Skips the test without one, unless TESTS_REQUIRE_SERVERS forbids it."""
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *folders, "/usr/sbin"]))
    if path is None:
        assert not os.environ.get("TESTS_REQUIRE_SERVERS"), f"needs {name} (Debian: apt-get install {package})"
        pytest.skip(f"needs {name} (Debian: apt-get install {package})")
    return path


class Server:
    """One server on one data folder. Subclasses say how it is made, started and asked."""

    user: str | None = None  # who runs it, when the tests run as root

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"recomesh-{type(self).__name__.lower()}-"))
        (self.port,) = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._give(self.folder)

    @property
    def url(self) -> str:
        """What a setting of the mesh takes."""
        raise NotImplementedError

    def command(self) -> Sequence[str]:
        """The server in the foreground."""
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        """Variables beyond those of the tests."""
        return {}

    def ping(self) -> None:
        """Raises anything until the server answers."""
        raise NotImplementedError

    def start(self) -> None:
        """Starts on the data of last time and waits until it answers."""
        log = (self.folder / "server.log").open("ab")
        with log:
            self._process = self._spawn(self.command(), log)
        self.wait()

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + START_S
        while True:
            try:
                return self.ping()
            except Exception as error:  # each client has errors of its own
                assert self._process is not None
                ended = self._process.poll()
                if ended is not None or time.monotonic() > deadline:
                    log = (self.folder / "server.log").read_text(errors="replace")[-3000:]
                    raise AssertionError(f"{type(self).__name__} does not answer ({error!r}):\n{log}") from error
            time.sleep(0.05)

    def shut_down(self) -> None:
        """SIGTERM: it closes its files and ends."""
        self._signal(signal.SIGTERM)
        self._wait_gone()

    def kill(self) -> None:
        """SIGKILL to the server and all it started."""
        self._signal(signal.SIGKILL)
        self._wait_gone()

    def freeze(self) -> None:
        """SIGSTOP: connections stay open, nothing answers. Returns when every thread has stopped."""
        self._signal(signal.SIGSTOP)
        assert self._process is not None
        deadline = time.monotonic() + 10
        while not _stands_still(self._process.pid):
            assert time.monotonic() < deadline, "the server does not stop"
            time.sleep(0.005)

    def thaw(self) -> None:
        """Ends `freeze`."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """Ends the server and deletes its data."""
        with contextlib.suppress(ProcessLookupError):
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _spawn(self, command: Sequence[str], log: object) -> subprocess.Popen[bytes]:
        as_user = self._user()
        groups = {"user": as_user, "group": as_user, "extra_groups": []} if as_user else {}
        return subprocess.Popen(
            command,
            env={**os.environ, "HOME": str(self.folder), **self.environment()},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,  # type: ignore[arg-type]
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **groups,  # type: ignore[arg-type]
        )

    def _run(self, *command: str) -> None:
        with (self.folder / "server.log").open("ab") as log:
            process = self._spawn(command, log)
            assert process.wait(120) == 0, (self.folder / "server.log").read_text(errors="replace")

    def _user(self) -> str | None:
        return self.user if self.user and os.geteuid() == 0 else None

    def _give(self, path: Path) -> None:
        if user := self._user():
            entry = pwd.getpwnam(user)
            os.chown(path, entry.pw_uid, entry.pw_gid)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def _wait_gone(self) -> None:
        assert self._process is not None
        self._process.wait(20)


def _stands_still(pid: int) -> bool:
    """True if all threads of a process are stopped (state T of proc(5))."""
    try:
        told = [stat.read_text() for stat in Path(f"/proc/{pid}/task").glob("*/stat")]
    except OSError:  # a thread has just ended: one that stands still does not
        return False
    return all(text.rsplit(")", 1)[1].split()[0] == "T" for text in told)


class PostgresServer(Server):
    """PostgreSQL with one superuser `recomesh` and as many databases as are asked for."""

    user = "postgres"

    def __init__(self, *settings: str) -> None:
        self._binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
        folders = [str(path) for path in self._binaries]
        self._initdb = program("initdb", "postgresql", *folders)
        self._postgres = program("postgres", "postgresql", *folders)
        super().__init__()
        self._settings = settings
        self._databases = 0
        data = str(self.folder / "data")
        self._run(self._initdb, "-D", data, "-U", "recomesh", "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust")

    @property
    def url(self) -> str:
        return self._url("postgres")

    def new_database(self) -> str:
        """URL of an empty database of its own."""
        self._databases += 1
        name = f"test_{self._databases}"
        with contextlib.closing(self._connect()) as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        return self._url(name)

    def shut_down(self) -> None:
        """SIGINT, which ends the sessions too; SIGTERM would wait for them."""
        super()._signal(signal.SIGINT)
        self._wait_gone()

    def _signal(self, number: int) -> None:
        """To every process of the server: each is a group of its own."""
        assert self._process is not None
        if self._process.poll() is not None:
            raise ProcessLookupError(self._process.pid)
        parent = psutil.Process(self._process.pid)
        for process in [parent, *parent.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def command(self) -> Sequence[str]:
        # Data survive a SIGKILL of the server without fsync; only a power cut would need it.
        options = ["fsync=off", "full_page_writes=off", "max_connections=200"]
        options += [f"unix_socket_directories={self.folder}", "listen_addresses=127.0.0.1", *self._settings]
        return [self._postgres, "-D", str(self.folder / "data"), "-p", str(self.port), *_each("-c", options)]

    def ping(self) -> None:
        self._connect().close()

    def _url(self, database: str) -> str:
        return f"postgresql://recomesh:recomesh@127.0.0.1:{self.port}/{database}"

    def _connect(self) -> psycopg2.extensions.connection:
        connection = psycopg2.connect(self.url, connect_timeout=3)
        connection.autocommit = True
        return connection


class RedisServer(Server):
    """Redis with nothing on disk: what it knew is gone when it is killed, as a cache's memory is."""

    def __init__(self) -> None:
        self._redis = program("redis-server", "redis-server")
        super().__init__()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> Sequence[str]:
        return [self._redis, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]

    def ping(self) -> None:
        with contextlib.closing(redis.Redis(port=self.port, socket_timeout=2)) as client:
            client.ping()


class RabbitServer(Server):
    """RabbitMQ with a node, an Erlang port mapper and an empty default virtual host of its own.

    A quorum queue that was declared a moment before a `kill` finds no leader afterwards (RabbitMQ 3.10 writes the list
    of its queues lazily): declare, `shut_down`, `start`, and then kill.
    """

    user = "rabbitmq"

    def __init__(self) -> None:
        self._server = program("rabbitmq-server", "rabbitmq-server", "/usr/lib/rabbitmq/bin")
        if Path("/usr/lib/rabbitmq/bin/rabbitmq-server").exists():  # Debian's wrapper in /usr/sbin wants a login shell
            self._server = "/usr/lib/rabbitmq/bin/rabbitmq-server"
        self._epmd = program("epmd", "erlang-base")
        super().__init__()
        self._distribution, self._mapper_port = free_ports(2)
        self._mapper: subprocess.Popen[bytes] | None = None
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\nloopback_users = none\nvm_memory_high_watermark.absolute = 1GB\n"
            "disk_free_limit.absolute = 50MB\nraft.wal_max_size_bytes = 33554432\n"
        )
        (self.folder / "enabled_plugins").write_text("[].\n")

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/%2F"

    def command(self) -> Sequence[str]:
        return [self._server]

    def environment(self) -> Mapping[str, str]:
        folder = self.folder
        return {
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"recomesh{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1",
        }

    def start(self) -> None:
        if self._mapper is None:
            with (self.folder / "epmd.log").open("ab") as log:
                self._mapper = self._spawn([self._epmd, "-port", str(self._mapper_port)], log)
        super().start()

    def ping(self) -> None:
        socket.create_connection(("127.0.0.1", self.port), 3).close()  # pika would log an absent server at length
        pika.BlockingConnection(pika.URLParameters(f"{self.url}?socket_timeout=5&blocked_connection_timeout=5")).close()

    def stop(self) -> None:
        super().stop()
        if self._mapper is not None:
            self._mapper.kill()
            self._mapper.wait(5)


@contextlib.contextmanager
def started(server: Server) -> Iterator[Server]:
    """The server while the context is open."""
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _each(switch: str, values: Sequence[str]) -> list[str]:
    return [word for value in values for word in (switch, value)]
