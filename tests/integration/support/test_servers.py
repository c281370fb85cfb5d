"""The servers that other tests build on keep their word."""

import pika
import psycopg2
import pytest
import redis

from tests.support.servers import PostgresServer, RabbitServer, RedisServer, started


def test_postgres_keeps_committed_rows_over_a_kill():
    with started(PostgresServer()) as server:
        url = server.new_database()
        with psycopg2.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE t (n int); INSERT INTO t VALUES (7)")
        connection.close()
        server.kill()
        with pytest.raises(psycopg2.OperationalError):
            psycopg2.connect(url)
        server.start()
        with psycopg2.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT n FROM t")
            assert cursor.fetchone() == (7,)
        connection.close()


def test_redis_hangs_while_frozen_and_answers_when_thawed(redis_server):
    client = redis.Redis.from_url(redis_server.url, socket_timeout=0.2)
    redis_server.freeze()
    with pytest.raises(redis.TimeoutError):
        client.ping()
    redis_server.thaw()
    assert client.ping()
    client.close()


def test_rabbit_keeps_persistent_messages_over_a_kill():
    with started(RabbitServer()) as server:
        with pika.BlockingConnection(pika.URLParameters(server.url)) as connection:
            connection.channel().queue_declare("q", durable=True, arguments={"x-queue-type": "quorum"})
        server.shut_down()
        server.start()
        with pika.BlockingConnection(pika.URLParameters(server.url)) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            channel.basic_publish("", "q", b"kept", pika.BasicProperties(delivery_mode=2), mandatory=True)
        server.kill()
        server.start()
        with pika.BlockingConnection(pika.URLParameters(server.url)) as connection:
            assert connection.channel().basic_get("q")[2] == b"kept"
    assert server._mapper.poll() is not None


def test_a_stopped_server_leaves_no_data():
    with started(RedisServer()) as server:
        folder = server.folder
        assert folder.exists()
    assert not folder.exists()
