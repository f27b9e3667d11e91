"""Methods of `Client` that put one model in the place of another."""

from __future__ import annotations

from vstash.client.base import Arguments, Base, like, segment
from vstash.client.decoding import decoded
from vstash.errors import FieldError
from vstash.memory import Memory
from vstash.switching import ModelState, ReindexReport

__all__ = ["Switching"]


class Switching(Base):
    """Models of the service, for who has an access key of the scope admin."""

    @like(Memory.models)
    def models(self, _given: Arguments) -> tuple[ModelState, ...]:
        """List the models."""
        found = self._service.send("GET", "/v1/models")["items"]
        return tuple(decoded(ModelState, item) for item in found)

    @like(Memory.reindex)
    def reindex(self, given: Arguments) -> ReindexReport:
        """Build another model's index, and switch to it."""
        name = given["model"]
        if not isinstance(name, str):
            raise FieldError(
                "A service knows its models by name: install it there first.", pointer="/model"
            )
        place = f"/v1/models/{segment(name)}:reindex"
        return decoded(ReindexReport, self._service.send("POST", place, once=True))

    @like(Memory.use_model)
    def use_model(self, given: Arguments) -> ReindexReport:
        """Switch to a model whose index is there."""
        place = f"/v1/models/{segment(given['name'])}:use"
        body = {"embed": given.get("embed", "now")}
        return decoded(ReindexReport, self._service.send("POST", place, body=body, once=True))

    @like(Memory.remove_model)
    def remove_model(self, given: Arguments) -> ModelState:
        """Remove the index of a model that is not in use."""
        place = f"/v1/models/{segment(given['name'])}"
        return decoded(ModelState, self._service.send("DELETE", place))
