"""From a file's bytes to text, title, metadata and tags."""

from __future__ import annotations

from vstash.errors import MediaTypeError, TextError
from vstash.text.decode import decode
from vstash.text.extracted import Content, Extracted, one_line
from vstash.text.media import FORMATS, Format, extension_of, format_of_file, format_of_type

__all__ = ["Extracted", "extract", "is_supported", "supported_extensions"]

_GENERIC = ("", "application/octet-stream")


def extract(data: bytes, *, name: str, media_type: str | None = None) -> Extracted:
    r"""Read a file of any supported format.

    Args:
        data: The file's bytes.
        name: File name or path; tells the format when ``media_type`` does not, and is the title
            of a text that has none of its own.
        media_type: Wins over the name; None or ``application/octet-stream`` means not known.

    Returns:
        The text with what the file says about itself.

    Raises:
        MediaTypeError: When the format is unknown or the content is binary.
        TextError: When the file holds no text.

    Example:
        >>> note = extract(b"---\ntags: [a, b]\n---\n# Plan\n\nStart.", name="plan.md")
        >>> note.title, note.tags, note.text
        ('Plan', ('a', 'b'), '# Plan\n\nStart.')
    """
    found = _format(name, media_type)
    try:
        text = decode(data)
        content = _content(found, text)
    except MediaTypeError as error:
        raise MediaTypeError(error.message, local_detail=name) from error
    if not content.text.strip():
        raise TextError("The file holds no text: there is nothing to store.", local_detail=name)
    base = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return Extracted(
        text=content.text,
        title=content.title or one_line(base.encode("utf-8", "replace").decode("utf-8")),
        metadata=content.metadata,
        tags=content.tags,
        media_type=found.media_type,
    )


def supported_extensions() -> tuple[str, ...]:
    """Extensions of the files that `extract` reads.

    Returns:
        Lower-case, with the dot, sorted.

    Example:
        >>> ".md" in supported_extensions()
        True
    """
    return tuple(sorted({extension for row in FORMATS for extension in row.extensions}))


def is_supported(name: str) -> bool:
    """Whether a file of this name is read, by its extension or as a well-known name.

    Args:
        name: A file name or path; case does not matter.

    Returns:
        True for names such as ``notes.md``, ``Makefile`` and ``LICENSE``.

    Example:
        >>> is_supported("src/Dockerfile"), is_supported("photo.jpg")
        (True, False)
    """
    return format_of_file(name) is not None


def _format(name: str, media_type: str | None) -> Format:
    if media_type is not None and media_type.strip().lower() not in _GENERIC:
        found, what = format_of_type(media_type), "this media type"
    else:
        extension = extension_of(name)
        found = format_of_file(name)
        what = f"type `{extension[:16]}`" if extension else "this name without an extension"
    if found is None:
        raise MediaTypeError(
            f"Files of {what} are not read: text, Markdown, reStructuredText, JSON, JSON Lines, "
            "CSV, TSV and source code are.",
            local_detail=name,
        )
    return found


def _content(found: Format, text: str) -> Content:
    # Imported here, so that reading a plain file does not load what reads the others.
    if found.structure == "markdown":
        from vstash.text.markdown import markdown_content  # noqa: PLC0415 - loads the parser

        return markdown_content(text)
    if found.structure == "rst":
        from vstash.text.rst import rst_content  # noqa: PLC0415 - the same

        return rst_content(text)
    if found.structure == "json":
        from vstash.text.tabular import json_content  # noqa: PLC0415 - the same

        return json_content(text)
    if found.structure == "table":
        from vstash.text.tabular import table_content  # noqa: PLC0415 - the same

        return table_content(text, tabs=found.media_type == "text/tab-separated-values")
    return Content(text)
