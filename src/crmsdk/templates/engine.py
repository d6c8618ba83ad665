"""The template engine: files ``<name>/<channel>.<locale>``, from a folder or from memory, through Jinja2."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from typing_extensions import override

from crmsdk.errors import InputError, TemplateError
from crmsdk.model.content import Content
from crmsdk.model.message import MessageKind
from crmsdk.model.rendering import Rendered
from crmsdk.model.values import Properties
from crmsdk.ports import TemplateEngine
from crmsdk.templates.advice import advice
from crmsdk.templates.kinds import CHAT, KINDS, ContentKind, Filled
from crmsdk.templates.sandbox import Sandbox, present
from crmsdk.templates.source import SOURCE_MAX, Piece, Source, read_source

__all__ = ["JinjaTemplateEngine"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_FILE = re.compile(r"(?P<channel>[a-z][a-z0-9_-]*)\.(?P<locale>[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*)")


class JinjaTemplateEngine(TemplateEngine):
    """Templates given as text; everything is read at the making, so one run sees one version of each.

    Args:
        files: Template name to file name (``email.en``) to the file's text.
        default_locale: Taken when a person's locale has no file.
        kinds: What channels with a content of their own make of their files. Without one, files of
            ``email`` become ``EmailContent`` and those of every other channel ``ChatContent``.

    Raises:
        TemplateError: a name that is none, two files for one channel and locale.
    """

    def __init__(
        self,
        files: Mapping[str, Mapping[str, str]],
        *,
        default_locale: str = "en",
        kinds: Mapping[str, ContentKind] | None = None,
    ) -> None:
        self._kinds = {**KINDS, **(kinds or {})}
        self._default = _locale(default_locale)
        self._sandbox = Sandbox()
        self._sources: dict[tuple[str, str], Source] = {}
        self._files: dict[str, dict[tuple[str, str], str]] = {}
        for name, texts in files.items():
            self._files[name] = _by_place(name, texts)
        self._texts = {(name, file): text for name, texts in files.items() for file, text in texts.items()}

    @classmethod
    def from_folder(
        cls,
        folder: str | os.PathLike[str],
        *,
        default_locale: str = "en",
        kinds: Mapping[str, ContentKind] | None = None,
    ) -> "JinjaTemplateEngine":
        """Read ``<folder>/<name>/<channel>.<locale>``; what is hidden or beside the folders is left out.

        Raises:
            TemplateError: no such folder, a file that is not named so, that is too long, that is no UTF-8,
                or that a link leads out of the folder.
        """
        root = Path(folder)
        if not root.is_dir():
            raise TemplateError(root.name, "there is no such folder; make it, or name the right one")
        files = {
            inner.name: {path.name: _read(root.resolve(), inner.name, path) for path in _visible(inner)}
            for inner in _visible(root)
            if inner.is_dir()
        }
        return cls(files, default_locale=default_locale, kinds=kinds)

    @override
    def names(self) -> tuple[str, ...]:
        """Name all templates, in text order."""
        return tuple(sorted(self._files))

    @override
    def variables(self, name: str) -> dict[str, frozenset[str]]:
        """Name the variables each file of a template cannot be rendered without.

        Raises:
            TemplateError: there is no such template, or one of its files is broken.
        """
        return {
            file: frozenset(
                variable
                for piece in self._rendered_pieces(name, channel, file)
                for variable in self._sandbox.needed(name, file, piece)
            )
            for (channel, _), file in sorted(self._template(name).items())
        }

    @override
    def render(
        self, name: str, channel: str, *, locale: str | None, values: Properties, kind: MessageKind
    ) -> Rendered:
        """Fill a template in; see the port.

        Raises:
            TemplateError: no such template, no file for channel and locale, a broken file, a missing
                variable, or a result that no content can be made of.
        """
        found = self._find(name, channel, locale)
        file = self._template(name)[channel, found]
        source, kept = self._source(name, channel, file), self._kind(channel)
        given = present({**values, "locale": found})

        def fill(piece: Piece, *, escapes: bool = False) -> str:
            return self._sandbox.fill(name, file, piece, escapes=escapes, values=given)

        filled = Filled(
            headers=[
                (header, piece.text if header in kept.fixed else fill(piece))
                for header, piece in source.headers
            ],
            body=None if source.body is None else fill(source.body, escapes=kept.escapes(source)),
            text=None if source.text is None else fill(source.text),
        )
        try:
            content = kept.build(filled)
        except InputError as error:
            raise TemplateError(name, f"{file}: {error}") from None
        warnings = [*advice(content, channel, kind, preheader=filled.header("preheader") is not None)]
        if locale is not None and _language(found) != _language(_locale(locale)):
            warnings.insert(0, f"there is no {channel} text in {locale!r}; {found!r} stands in")
        return Rendered(
            template=name, channel=channel, locale=found, content=content, warnings=tuple(warnings)
        )

    def makes(self, channel: str) -> type[Content] | None:
        """Say what class of content the files of a channel become; None without a file, or when not said."""
        has_files = any((channel, locale) in files for files in self._files.values() for _, locale in files)
        return self._kind(channel).makes if has_files else None

    def _template(self, name: str) -> dict[tuple[str, str], str]:
        if name not in self._files:
            raise TemplateError(name, f"there is no such template; there are {_listed(self._files)}")
        return self._files[name]

    def _kind(self, channel: str) -> ContentKind:
        return self._kinds.get(channel, CHAT)

    def _source(self, name: str, channel: str, file: str) -> Source:
        source = self._sources.get((name, file))
        if source is None:
            text, kind = self._texts[name, file], self._kind(channel)
            source = self._sources[name, file] = read_source(
                name, file, text, known=kind.headers, repeats=kind.repeats
            )
        return source

    def _rendered_pieces(self, name: str, channel: str, file: str) -> Iterator[Piece]:
        source, fixed = self._source(name, channel, file), self._kind(channel).fixed
        yield from (piece for header, piece in source.headers if header not in fixed)
        yield from (part for part in (source.body, source.text) if part is not None)

    def _find(self, name: str, channel: str, locale: str | None) -> str:
        there = [found for at, found in self._template(name) if at == channel]
        for wanted in (*_wider(_locale(locale) if locale else ""), *_wider(self._default)):
            if wanted in there:
                return wanted
        if there:
            raise TemplateError(
                name,
                f"has no {channel} text in {locale or self._default!r} nor in the default {self._default!r}; "
                f"it has {_listed(there)}",
            )
        channels = {at for at, _ in self._template(name)}
        raise TemplateError(name, f"has no {channel} text; it has {_listed(channels)}")


def _by_place(name: str, texts: Mapping[str, str]) -> dict[tuple[str, str], str]:
    if not _NAME.fullmatch(name):
        raise TemplateError(name, "is no template name; use letters, digits, dots, dashes and underscores")
    places: dict[tuple[str, str], str] = {}
    for file in texts:
        found = _FILE.fullmatch(file)
        if not found:
            raise TemplateError(name, f"has the file {file!r}; name it <channel>.<locale>, as 'email.en'")
        place = (found["channel"], _locale(found["locale"]))
        if place in places:
            raise TemplateError(
                name, f"has {places[place]!r} and {file!r} for one channel and locale; keep one"
            )
        places[place] = file
    return places


def _locale(tag: str) -> str:
    """Write a tag in the form in which it is compared: ``pt_br`` as ``pt-BR``, ``zh-hant`` as ``zh-Hant``."""
    language, *rest = tag.replace("_", "-").split("-")
    return "-".join([language.lower(), *(part.upper() if len(part) == 2 else part.title() for part in rest)])


def _language(locale: str) -> str:
    return locale.partition("-")[0]


def _wider(locale: str) -> Iterator[str]:
    """Give the locale, then wider ones: ``zh-Hant-TW``, ``zh-Hant``, ``zh`` (RFC 4647, section 3.4)."""
    while locale:
        yield locale
        locale = locale.rpartition("-")[0]


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _read(root: Path, name: str, path: Path) -> str:
    if not path.resolve().is_relative_to(root):
        raise TemplateError(name, f"{path.name} is a link that leads out of the folder; copy the file here")
    if not path.is_file():
        raise TemplateError(name, f"has {path.name!r}, which is no file; templates do not nest")
    if path.stat().st_size > SOURCE_MAX * 4:  # UTF-8 takes up to four bytes a character
        raise TemplateError(name, f"{path.name} has over {SOURCE_MAX} characters; shorten it")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise TemplateError(name, f"{path.name} is not UTF-8; save it as UTF-8") from None


def _listed(names: "Mapping[str, object] | set[str] | list[str]") -> str:
    return ", ".join(sorted(names)) or "none"
