"""`recomesh queue list|peek|replay|purge`: what waits in the queue, and its dead letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from meshkit import logs, topics
from meshkit.broker.open import open_broker
from meshkit.broker.port import Broker, DeadLetter
from meshkit.settings import MeshSettings, load
from recomesh_cli import console
from recomesh_cli.failures import CommandFailed
from recomesh_cli.options import AsJson

BODY_SHOWN = 120
queue_app = typer.Typer(name="queue", no_args_is_help=True, help="See what waits in the queue; mend its dead letters.")


def _known(topic: str | None) -> str | None:
    if topic is not None and topic not in topics.ALL:
        raise typer.BadParameter(f"{topic!r} is none of {', '.join(topics.ALL)}")
    return topic


Topic = Annotated[
    str | None, typer.Option(callback=_known, help=f"One of {', '.join(topics.ALL)}; without it: all of them.")
]
Ids = Annotated[list[str] | None, typer.Option("--id", help="Only this dead letter; may be given again.")]


@queue_app.command("list")
def list_topics(topic: Topic = None, as_json: AsJson = False) -> None:
    """Count what waits and what is dead, by topic.

    Example: `recomesh queue list`
    """
    with _opened() as broker:
        rows = [
            {"topic": t, "waiting": broker.depth(t), "dead_letters": broker.dead_letter_count(t)} for t in _of(topic)
        ]
    if as_json:
        console.write_json(rows)
        return
    cells = [(str(r["topic"]), f"{r['waiting']:,}", f"{r['dead_letters']:,}") for r in rows]
    console.out().print(
        console.table("", ("topic", "waiting", "dead letters"), cells, right=("waiting", "dead letters"))
    )


@queue_app.command()
def peek(
    topic: Topic = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most dead letters shown of each topic.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show dead letters, oldest first: what they say and why they died.

    Example: `recomesh queue peek --topic interactions --limit 5`
    """
    with _opened() as broker:
        letters = [letter for t in _of(topic) for letter in broker.dead_letters(t, limit=limit)]
    if as_json:
        console.write_json([_as_dict(letter) for letter in letters])
    elif not letters:
        console.out().print("No dead letters.")
    else:
        columns = ("id", "topic", "died", "attempts", "reason", "body")
        console.out().print(console.table("", columns, [_cells(letter) for letter in letters], right=("attempts",)))


@queue_app.command()
def replay(topic: Topic = None, ids: Ids = None, as_json: AsJson = False) -> None:
    """Put dead letters back at the end of their topic, with a fresh count. Mend what killed them first.

    Example: `recomesh queue replay --topic interactions`
    """
    with _opened() as broker:
        moved = {t: broker.replay(t, ids) for t in _of(topic)}
    _tell("Replayed", "replayed", moved, ids, as_json)


@queue_app.command()
def purge(
    topic: Topic = None,
    ids: Ids = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Forget dead letters for good.

    Example: `recomesh queue purge --topic interactions --id 17 --yes`
    """
    with _opened() as broker:
        if not yes:
            what = f"{len(set(ids))}" if ids else f"{sum(broker.dead_letter_count(t) for t in _of(topic)):,}"
            typer.confirm(f"Forget {what} dead letters of {topic or 'all topics'} for good?", abort=True, err=True)
        gone = {t: broker.purge(t, ids) for t in _of(topic)}
    _tell("Purged", "purged", gone, ids, as_json)


def _of(topic: str | None) -> Sequence[str]:
    return topics.ALL if topic is None else (topic,)


@contextmanager
def _opened() -> Iterator[Broker]:
    logs.configure("queue", level="error")
    url = load(MeshSettings).queue_url
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        raise CommandFailed(f"there is no queue at {url.removeprefix('sqlite:///')}; `recomesh up` makes one")
    broker = open_broker(url)
    try:
        yield broker
    finally:
        broker.close()


def _tell(verb: str, key: str, counts: dict[str, int], ids: Sequence[str] | None, as_json: bool) -> None:
    if as_json:
        console.write_json({key: counts})
    else:
        parts = ", ".join(f"{count:,} of {topic}" for topic, count in counts.items() if count)
        console.out().print(f"{verb} {parts}." if parts else f"{verb} nothing.")
    missing = len(set(ids or ())) - sum(counts.values())  # below 0: a letter that was delivered twice
    if missing > 0:
        raise CommandFailed(f"{missing} of the given ids are no dead letters; `recomesh queue peek` shows which are")


def _as_dict(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.letter_id,
        "topic": letter.message.topic,
        "key": letter.message.key,
        "body": letter.message.body.decode(errors="replace"),
        "reason": letter.reason,
        "attempts": letter.attempts,
        "died_at": letter.died_at.isoformat(timespec="seconds"),
    }


def _cells(letter: DeadLetter) -> tuple[str, ...]:
    body = letter.message.body.decode(errors="replace")
    shown = body if len(body) <= BODY_SHOWN else f"{body[:BODY_SHOWN]}…"
    died = f"{letter.died_at:%Y-%m-%d %H:%M:%S}"
    return letter.letter_id, letter.message.topic, died, str(letter.attempts), letter.reason, shown
