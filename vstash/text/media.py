"""The one table of what is read: media types, file names, and how each kind of text is built."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

__all__ = ["FORMATS", "Format", "Structure", "extension_of", "format_of_file", "format_of_type"]

Structure = Literal["plain", "markdown", "rst", "json", "records", "table", "code"]


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of text.

    Attributes:
        media_type: Stands in `Extracted.media_type`.
        structure: Which rules find its blocks. ``records`` are JSON Lines, ``table`` is CSV and TSV.
        extensions: Lower-case, with the dot.
        names: Whole file names, lower-case, for files without an extension.
        aliases: Other media types for the same format.
    """

    media_type: str
    structure: Structure
    extensions: tuple[str, ...]
    names: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


def _code(language: str, extensions: str, names: str = "", aliases: str = "") -> Format:
    return Format(
        f"text/x-{language}",
        "code",
        tuple(extensions.split()),
        tuple(names.split()),
        tuple(aliases.split()),
    )


FORMATS: Final[tuple[Format, ...]] = (
    Format(
        "text/plain",
        "plain",
        (".txt", ".text", ".log", ".org", ".adoc", ".asciidoc", ".tex", ".srt", ".vtt"),
        (
            *("license", "licence", "copying", "notice", "readme", "authors", "contributors"),
            *("changelog", "changes", "history", "news", "todo", "install", "contributing"),
        ),
    ),
    Format(
        "text/markdown",
        "markdown",
        (".md", ".markdown", ".mdown", ".mkd"),
        (),
        ("text/x-markdown",),
    ),
    Format("text/x-rst", "rst", (".rst", ".rest"), (), ("text/prs.fallenstein.rst",)),
    Format("application/json", "json", (".json", ".geojson", ".jsonc"), (), ("text/json",)),
    Format(
        "application/x-ndjson",
        "records",
        (".jsonl", ".ndjson"),
        (),
        ("application/jsonl", "application/x-jsonlines", "application/json-lines"),
    ),
    Format("text/csv", "table", (".csv",), (), ("application/csv",)),
    Format("text/tab-separated-values", "table", (".tsv", ".tab")),
    _code("python", ".py .pyi .pyw", "sconstruct", "application/x-python"),
    _code("javascript", ".js .mjs .cjs .jsx", "", "text/javascript application/javascript"),
    _code("typescript", ".ts .tsx .mts .cts", "", "application/typescript"),
    _code("java", ".java"),
    _code("kotlin", ".kt .kts"),
    _code("scala", ".scala .sbt"),
    _code("groovy", ".groovy .gradle", "jenkinsfile"),
    _code("go", ".go .mod"),
    _code("rust", ".rs"),
    _code("c", ".c .h"),
    _code("c++", ".cc .cpp .cxx .hh .hpp .hxx .ino"),
    _code("objective-c", ".m .mm"),
    _code("csharp", ".cs"),
    _code("fsharp", ".fs .fsx"),
    _code("visual-basic", ".vb"),
    _code("swift", ".swift"),
    _code("dart", ".dart"),
    _code("ruby", ".rb .rake .gemspec", "gemfile rakefile vagrantfile"),
    _code("php", ".php"),
    _code("perl", ".pl .pm"),
    _code("lua", ".lua"),
    _code("r", ".r"),
    _code("julia", ".jl"),
    _code("haskell", ".hs"),
    _code("ocaml", ".ml .mli"),
    _code("elixir", ".ex .exs"),
    _code("erlang", ".erl .hrl"),
    _code("clojure", ".clj .cljs .cljc .edn"),
    _code("lisp", ".lisp .el .scm .rkt"),
    _code("zig", ".zig"),
    _code("nim", ".nim"),
    _code("fortran", ".f90 .f95 .f03"),
    _code("verilog", ".v .sv"),
    _code("vhdl", ".vhd .vhdl"),
    _code("assembly", ".asm .s"),
    _code("shell", ".sh .bash .zsh .fish", "", "application/x-sh"),
    _code("powershell", ".ps1 .psm1"),
    _code("batch", ".bat .cmd"),
    _code("sql", ".sql", "", "application/sql"),
    _code("css", ".css .scss .sass .less", "", "text/css"),
    _code("component", ".vue .svelte .astro"),
    _code("graphql", ".graphql .gql", "", "application/graphql"),
    _code("protobuf", ".proto"),
    _code("terraform", ".tf .tfvars .hcl"),
    _code("dockerfile", ".dockerfile", "dockerfile containerfile"),
    _code("makefile", ".mk", "makefile gnumakefile justfile procfile"),
    _code("cmake", ".cmake", "cmakelists.txt"),
    _code("yaml", ".yaml .yml", "", "application/yaml application/x-yaml text/yaml"),
    _code("toml", ".toml", "", "application/toml"),
    _code("ini", ".ini .cfg .conf .properties", ".editorconfig .gitignore .dockerignore"),
    _code("xml", ".xml .xsd .xsl .svg", "", "application/xml text/xml image/svg+xml"),
    _code("diff", ".diff .patch"),
)
"""Every format. HTML is absent: as text its markup would drown what it says."""


@lru_cache(maxsize=1)
def _by_name() -> dict[str, Format]:
    return {key: row for row in FORMATS for key in row.names}


@lru_cache(maxsize=1)
def _by_extension() -> dict[str, Format]:
    return {key: row for row in FORMATS for key in row.extensions}


@lru_cache(maxsize=1)
def _by_type() -> dict[str, Format]:
    return {key: row for row in FORMATS for key in (row.media_type, *row.aliases)}


def extension_of(name: str) -> str:
    r"""The extension of a file name or path, lower-case with its dot; empty where there is none.

    Args:
        name: A file name, or a path with ``/`` or ``\``.

    Returns:
        Such as ``.md``.

    Example:
        >>> extension_of("notes/Plan.MD"), extension_of("Makefile"), extension_of(".gitignore")
        ('.md', '', '')
    """
    stem, dot, extension = _base(name).rpartition(".")
    return f".{extension}" if dot and stem else ""


def _base(name: str) -> str:
    return name.replace("\\", "/").rstrip("/").rpartition("/")[2].lower()


def format_of_file(name: str) -> Format | None:
    """The format that a file's name tells.

    Args:
        name: A file name or path.

    Returns:
        The format, or None when neither the whole name nor the extension is in the table.

    Example:
        >>> found = format_of_file("Dockerfile")
        >>> found.media_type if found else None
        'text/x-dockerfile'
    """
    return _by_name().get(_base(name)) or _by_extension().get(extension_of(name))


def format_of_type(media_type: str) -> Format | None:
    """The format that a media type names.

    Args:
        media_type: Such as ``text/markdown; charset=utf-8``; parameters and case do not matter.

    Returns:
        The format, or None when the type is not in the table.

    Example:
        >>> found = format_of_type("Text/CSV; header=present")
        >>> found.structure if found else None
        'table'
    """
    return _by_type().get(media_type.partition(";")[0].strip().lower())
