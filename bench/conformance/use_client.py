"""A client that a generator made from the description stores, finds and removes a document."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

__all__ = ["main"]


def main() -> None:
    """Use the package ``generated``, which must be importable, on the service at the address given."""

    def call(name: str, **arguments: Any) -> Any:
        answer = import_module(f"generated.api.default.{name}").sync_detailed(
            client=client, **arguments
        )
        print(name, int(answer.status_code))
        assert answer.status_code < 300, answer.content
        return answer.parsed

    models = import_module("generated.models")
    client = import_module("generated").Client(base_url=sys.argv[1])
    document = call(
        "create_document", body=models.NewDocumentInput(text="Ada prefers tea.", title="Ada")
    )
    wanted = models.Filter.from_dict({"title": {"eq": "Ada"}})
    found = call("search", body=models.SearchInput(query="what does Ada drink?", filter_=wanted))
    assert [hit.document.id for hit in found.hits] == [document.id]
    call("delete_document", id=document.id)
    assert call("list_documents").items == []


if __name__ == "__main__":
    main()
