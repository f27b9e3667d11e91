"""A small collection of texts that searches are asked of, made once for several tests."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from vstash import Memory, NewDocument

__all__ = ["GARDENS", "build_library"]

# How many documents of one collection say the same, beside the one that a filter must find.
GARDENS: Final = 200

_TEXTS: Final = {
    "port": "Port is 8090.",
    "café": "Das Café öffnet um acht Uhr.",
    "kyoto": "京都の地下鉄は便利です。",
    "tea": "Ada prefers tea over coffee, and never with milk.",
    "code": "def readConfigFile(path): return parse_toml(path)",
    "long": "The harbour of the old town. " + "Ships bring grain and leave with timber. " * 60,
}


def _documents() -> list[NewDocument]:
    about = [
        NewDocument(text, key=key, title=key, tags=["listed"], metadata={"length": len(text)})
        for key, text in _TEXTS.items()
    ]
    weather = [
        NewDocument(f"On day {day} the weather was fine and the river low.", key=f"day-{day}")
        for day in range(20)
    ]
    gardens = [
        NewDocument(f"Gardens need water, said number {number}.", collection="gardens")
        for number in range(GARDENS)
    ]
    rare = NewDocument(
        "Somebody wrote at length about trains, bridges, clocks and only once about gardens.",
        key="rare",
        collection="gardens",
        metadata={"rare": True},
    )
    other = NewDocument("Port is 9090, says the other one.", key="port", collection="other")
    return [*about, *weather, *gardens, rare, other]


def build_library(path: Path) -> None:
    """Write the library to a new file.

    Args:
        path: The file.
    """
    with Memory(path, model="fake") as memory:
        memory.add_batch(_documents())
