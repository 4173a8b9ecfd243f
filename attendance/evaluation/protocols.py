"""What is compared with what: folders of one sub-folder a person, and LFW's pairs files.

Huang et al., "Labeled Faces in the Wild", 2007. A pairs file with folds starts with
`10<tab>300`: ten folds of 300 same-person and then 300 different-person lines. One without
starts with `500`: as many of each. A line is `Name 1 2` or `Name 1 Other_Name 2`; photo 1 of
Name is `Name/Name_0001.jpg`, or lies in the folder of a group: `group/Name/Name_0001.jpg`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from attendance.core.domain import IntArray
from attendance.core.errors import AttendanceError

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


class ProtocolError(AttendanceError):
    """A folder or a file does not hold what an evaluation needs."""


@dataclass(frozen=True)
class Pairs:
    """Comparisons of a pairs file.

    Attributes:
        photos: each photo named once, relative to the folder of images.
        left: (n,) index into `photos`.
        right: (n,) index into `photos`.
        is_same: (n,) bool, whether both show one person.
        folds: (n,) from 0; all 0 in a file without folds.
    """

    photos: tuple[str, ...]
    left: IntArray
    right: IntArray
    is_same: npt.NDArray[np.bool_]
    folds: IntArray

    def __len__(self) -> int:
        return len(self.left)

    @property
    def has_folds(self) -> bool:
        """Whether the ten-fold protocol applies."""
        return len(self) > 0 and int(self.folds.max()) > 0

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody who is named, as `read_people` names them, sorted."""
        return tuple(sorted({person_of(photo) for photo in self.photos}))

    def sample(self, limit: int) -> Pairs:
        """At most this many pairs, evenly spaced, so that every fold and kind keeps its share."""
        if limit >= len(self):
            return self
        chosen = np.linspace(0, len(self) - 1, limit).round().astype(np.intp)
        photos = sorted({self.photos[i] for side in (self.left, self.right) for i in side[chosen]})
        index = {photo: i for i, photo in enumerate(photos)}
        moved = np.array([index.get(photo, -1) for photo in self.photos], np.intp)
        return Pairs(
            tuple(photos),
            moved[self.left[chosen]],
            moved[self.right[chosen]],
            self.is_same[chosen],
            self.folds[chosen],
        )


def person_of(photo: str) -> str:
    """Whose photo it is: all of its path but its name.

    >>> person_of("Abdullah_Gul/Abdullah_Gul_0013.jpg"), person_of("women/Ann/1.jpg")
    ('Abdullah_Gul', 'women/Ann')
    """
    return photo.rpartition("/")[0]


def group_of(photo: str) -> str:
    """The group whose folder a photo's person lies in; nothing where people lie in none.

    >>> group_of("women/Ann/1.jpg"), group_of("Abdullah_Gul/Abdullah_Gul_0013.jpg")
    ('women', '')
    """
    return person_of(photo).rpartition("/")[0]


def read_people(folder: Path) -> dict[str, tuple[str, ...]]:
    """The photos of each person, relative to the folder, both sorted.

    A folder of folders is a group: its people are named `group/person`. A person without photos
    is left out; hidden files and files beside the folders are too.

    Raises:
        ProtocolError: there is no such folder, or nobody in it.
    """
    if not folder.is_dir():
        raise ProtocolError(f"there is no folder {folder}")
    people = {_relative(folder, person): _photos(folder, person) for person in _inside(folder)}
    for group in [name for name, photos in people.items() if not photos]:
        people |= {_relative(folder, p): _photos(folder, p) for p in _inside(folder / group)}
    people = {name: photos for name, photos in people.items() if photos}
    if not people:
        raise ProtocolError(f"{folder} holds no photos: expected one sub-folder a person")
    return people


def photos_to_compare(
    images: Path, pairs: Pairs, threshold_from: tuple[str, Pairs] | None = None
) -> list[str]:
    """All photos of the people in a pairs file, and those a threshold is chosen on, each once.

    Args:
        images: one sub-folder a person.
        pairs: judged.
        threshold_from: the name of another pairs file, and its pairs.
    """
    people = read_people(images)
    photos = [photo for person in pairs.people for photo in people[person]]
    return list(dict.fromkeys([*photos, *(threshold_from[1].photos if threshold_from else ())]))


def photos_of_people(
    images: Path,
    pairs: Path | None,
    photos_each: int,
    min_photos: int,
    limit: int | None = None,
) -> list[str]:
    """The first photos of each person, of those a pairs file names if there is one.

    Args:
        images: one sub-folder a person.
        pairs: LFW pairs file; None takes everybody.
        photos_each: at most so many of a person, so that nobody outweighs the others.
        min_photos: people with fewer are left out.
        limit: of the others, only the first so many.

    Raises:
        ProtocolError: the folder or the file does not hold that.
    """
    people = read_people(images)
    named = read_pairs(pairs, images).people if pairs is not None else tuple(people)
    kept = [people[name] for name in named if len(people[name]) >= min_photos]
    if not kept:
        raise ProtocolError(f"nobody in {images} has {min_photos} photos or more")
    return [photo for photos in kept[:limit] for photo in photos[:photos_each]]


def _inside(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and _is_shown(path))


def _relative(folder: Path, inside: Path) -> str:
    return inside.relative_to(folder).as_posix()


def _photos(folder: Path, person: Path) -> tuple[str, ...]:
    files = sorted(path for path in person.iterdir() if _is_shown(path))
    return tuple(_relative(folder, p) for p in files if p.suffix.lower() in PHOTO_SUFFIXES)


def _is_shown(path: Path) -> bool:
    return not path.name.startswith(".")


def read_pairs(file: Path, images: Path) -> Pairs:
    """The comparisons of a pairs file, every photo checked to be there.

    Raises:
        ProtocolError: the file or a photo is missing, or a line says something else; the
            message names the line.
    """
    lines = _lines(file)
    n_folds, n_each = _header(file, lines[0])
    rows = [(number, line) for number, line in enumerate(lines[1:], start=2) if line.strip()]
    expected = 2 * n_folds * n_each
    if len(rows) != expected:
        raise ProtocolError(f"{file}: line 1 promises {expected} pairs, found {len(rows)}")
    finder = _PhotoFinder(file, images)
    named = [finder.pair(number, line) for number, line in rows]
    return _indexed(named, 2 * n_each)


def _lines(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ProtocolError(f"{file}: cannot be read as a pairs file ({error})") from error
    if not lines:
        raise ProtocolError(f"{file}: is empty, expected LFW's pairs format")
    return lines


def _header(file: Path, line: str) -> tuple[int, int]:
    """How many folds, and how many pairs of each kind in one."""
    words = line.split()
    if len(words) not in (1, 2) or not all(_is_count(word) for word in words):
        raise ProtocolError(
            f"{file}, line 1: expected '10 300' (folds, pairs of each kind) or '500', got {line!r}"
        )
    return (int(words[0]), int(words[1])) if len(words) == 2 else (1, int(words[0]))


def _is_count(word: str) -> bool:
    return word.isascii() and word.isdigit() and int(word) > 0


class _PhotoFinder:
    """Turns lines into photos that exist; remembers folders it has looked into."""

    def __init__(self, file: Path, images: Path) -> None:
        self._file = file
        self._images = images
        self._known: dict[str, dict[str, str]] = {}

    @cached_property
    def _groups(self) -> list[Path]:
        """Listed once: a collection has thousands of folders, and thousands of lines name one."""
        return _inside(self._images)

    def pair(self, number: int, line: str) -> tuple[str, str, bool]:
        """The two photos of a line and whether they show one person."""
        words = line.split("\t") if "\t" in line else line.split()
        words = [word.strip() for word in words]
        if len(words) == 3:
            name, first, second = words
            return self._photo(number, name, first), self._photo(number, name, second), True
        if len(words) == 4:
            left, right = self._photo(number, *words[:2]), self._photo(number, *words[2:])
            return left, right, words[0] == words[2]
        raise ProtocolError(
            f"{self._file}, line {number}: expected 'Name 1 2' or 'Name 1 Other 2', got {line!r}"
        )

    def _photo(self, number: int, name: str, count: str) -> str:
        where = f"{self._file}, line {number}"
        if not _is_count(count):
            raise ProtocolError(f"{where}: expected the number of a photo, got {count!r}")
        if name not in self._known:
            self._known[name] = self._stems(where, name)
        stem = f"{name}_{int(count):04d}"
        if stem not in self._known[name]:
            raise ProtocolError(f"{where}: there is no photo {stem} in {self._images / name}")
        return self._known[name][stem]

    def _stems(self, where: str, name: str) -> dict[str, str]:
        is_name = "/" not in name and name not in ("", ".", "..")
        folders = [self._images / name] if is_name else []
        if is_name and not folders[0].is_dir():
            folders = [group / name for group in self._groups if (group / name).is_dir()]
        if not folders:
            raise ProtocolError(f"{where}: there is no folder {self._images / name}")
        if len(folders) > 1:
            raise ProtocolError(f"{where}: {name} lies in {folders[0].parent} and elsewhere")
        return {Path(photo).stem: photo for photo in _photos(self._images, folders[0])}


def _indexed(named: list[tuple[str, str, bool]], fold_size: int) -> Pairs:
    photos = sorted({photo for left, right, _ in named for photo in (left, right)})
    index = {photo: i for i, photo in enumerate(photos)}
    return Pairs(
        photos=tuple(photos),
        left=np.array([index[left] for left, _, _ in named], np.intp),
        right=np.array([index[right] for _, right, _ in named], np.intp),
        is_same=np.array([is_same for _, _, is_same in named], np.bool_),
        folds=np.arange(len(named), dtype=np.intp) // fold_size,
    )
