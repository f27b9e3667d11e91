"""Settling what a file and this version of vstash, with its model, agree on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vstash.errors import ModelMismatchError
from vstash.pipeline.migrating import derive_outdated, outdated_indexes
from vstash.store.models import Served

if TYPE_CHECKING:
    from vstash.store.protocol import Store
    from vstash.types import ModelInfo

__all__ = ["agree", "require_same_model"]


def agree(store: Store, info: ModelInfo) -> Served:
    """Bring what is derived to this version's rules and settle the file's model.

    Args:
        store: The file.
        info: The model that it is opened with.

    Returns:
        The model as the file knows it.

    Raises:
        ModelMismatchError: When the file is searched with another one.
    """
    with store.read() as reader:
        known = reader.model
        outdated = outdated_indexes(reader.normaliser, reader.coder, of=store.path)
    if known is not None:
        require_same_model(store, known[1], info)
        # Without codes sqlite-vec searches; without words of these rules nothing is found.
        if not outdated or (store.immutable and outdated == ("codes",)):
            return Served(known[0], info.sha256)
    with store.write() as writer:
        # Another process may have been faster.
        known = writer.model or (writer.use_model(info), info)
        derive_outdated(writer)
    require_same_model(store, known[1], info)
    return Served(known[0], info.sha256)


def require_same_model(store: Store, theirs: ModelInfo, ours: ModelInfo) -> None:
    """Refuse a model that is not the one that the file is searched with.

    Raises:
        ModelMismatchError: When it is not.
    """
    if (theirs.sha256, theirs.dimension) != (ours.sha256, ours.dimension):
        raise ModelMismatchError(
            f"The file is searched with the model {theirs.name} ({theirs.dimension} dimensions, "
            f"sha256 {theirs.sha256[:12]}), not with {ours.name} ({ours.dimension} dimensions, "
            f"sha256 {ours.sha256[:12]}). Open it with {theirs.name}, which `vstash model add` installs "
            f"from its folder; switch it to {ours.name} with `vstash reindex`; or use another file.",
            local_detail=str(store.path),
        )
