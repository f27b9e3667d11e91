"""The description says what the service does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.unit.api.service import Service
from vstash import Memory, errors
from vstash.api.app import create_api
from vstash.api.reference import operations_markdown

CODES = {getattr(errors, name).code for name in errors.__all__}


@pytest.fixture
def schema(tmp_path: Path) -> dict[str, Any]:
    """What /openapi.json holds."""
    with Memory(tmp_path / "any.db", model="fake") as memory:
        return create_api(memory).openapi()


def operations(schema: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Path, method and description of every operation."""
    return [
        (path, method, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


def test_served(service: Service, schema: dict[str, Any]) -> None:
    """The description is served, and is OpenAPI 3.1."""
    assert service.http.get("/openapi.json").json() == schema
    assert schema["openapi"].startswith("3.1.")


def test_operations(schema: dict[str, Any]) -> None:
    """Every operation has a summary, a description and an id of its own."""
    found = [operation for _, _, operation in operations(schema)]
    assert len(found) == 63
    assert all(operation["summary"] and operation["description"] for operation in found)
    names = [operation["operationId"] for operation in found]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z][A-Za-z]+", name) for name in names)


def test_errors(schema: dict[str, Any]) -> None:
    """Every answer that is no success is a problem, with an example of each of its codes."""
    for path, method, operation in operations(schema):
        refused = {code: said for code, said in operation["responses"].items() if code >= "400"}
        assert {"400", "403", "413", "500", "503"} <= refused.keys(), (path, method)
        assert ("415" in refused) == ("requestBody" in operation), (path, method)
        for status, said in refused.items():
            media_type = "application/problem+json"
            # That the service is not ready is no problem of the request's.
            ready = {"application/json"} if (path, status) == ("/readyz", "503") else set()
            assert said["content"].keys() == {media_type} | ready, (path, method, status)
            content = said["content"][media_type]
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
            for code, example in content["examples"].items():
                assert code in CODES
                assert (example["value"]["code"], example["value"]["status"]) == (code, int(status))


def test_bodies(schema: dict[str, Any]) -> None:
    """Every body and every success is described by a model that takes no other members."""
    for path, method, operation in operations(schema):
        described = [
            content["schema"]
            for status, said in operation["responses"].items()
            if status < "300"
            for media_type, content in said.get("content", {}).items()
            if media_type != "text/plain"
        ]
        described += [
            content["schema"]
            for content in operation.get("requestBody", {}).get("content", {}).values()
        ]
        assert described or method == "delete" or path == "/metrics", (path, method)
        lines = {"/v1/export": 1, "/v1/import": 1, "/v1/triples": 1}.get(path, 0)
        assert sum(each.get("type") == "string" for each in described) == lines, path
        for each in (each for each in described if "type" not in each):
            name = each["$ref"].removeprefix("#/components/schemas/")
            assert schema["components"]["schemas"][name]["additionalProperties"] is False


def test_references(schema: dict[str, Any]) -> None:
    """Everything referred to is there, and nothing is there that FastAPI would answer with."""
    names = set(re.findall(r"#/components/schemas/(\w+)", str(schema)))
    assert names == schema["components"]["schemas"].keys()
    assert "HTTPValidationError" not in names


def test_fields(schema: dict[str, Any]) -> None:
    """Every field of a body and every parameter is described."""
    for name, model in schema["components"]["schemas"].items():
        if name.endswith(("Input", "Replacement", "Patch")):
            assert all(field.get("description") for field in model["properties"].values()), name
    for path, method, operation in operations(schema):
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), (path, method, parameter["name"])


def test_patch(schema: dict[str, Any]) -> None:
    """A patch may come under both media types."""
    content = schema["paths"]["/v1/documents/{id}"]["patch"]["requestBody"]["content"]
    assert set(content) == {"application/json", "application/merge-patch+json"}


def test_nothing_from_outside(schema: dict[str, Any]) -> None:
    """The description names no other host."""
    assert "http://" not in str(schema)
    assert "https://" not in str(schema)


def test_the_page_of_operations_is_current() -> None:
    """A change of an operation goes with its page: run `python -m vstash.api.reference`."""
    page = Path(__file__).resolve().parents[3] / "docs" / "operations.md"
    assert page.read_text(encoding="utf-8") == operations_markdown()
