"""Every error this project raises on purpose.

AttendanceError
├── ConfigError                a config file or an environment variable is wrong
├── CameraError                a camera cannot be opened or read
│   └── CameraBusyError        another open session holds that camera
├── ModelError                 weights are missing, truncated or foreign
├── PhotoError(reason)         one photo cannot be used; `reason` is a `PhotoProblem`
├── EnrollmentError            an enrolment as a whole cannot be accepted
├── RegistryError              people, consents, templates
│   ├── DuplicateStudentError
│   ├── UnknownStudentError
│   └── ConsentMissingError
├── VaultError                 the encryption key is lost or wrong, or a ciphertext does not open
├── StorageError               the database cannot be read or written
│   ├── StorageFullError       the disk is full: nothing of the transaction was kept
│   └── StorageVersionError    the database comes from a newer version of this program
├── SessionError               courses, class sessions, registers
│   ├── EmptyCourseError
│   └── SessionStateError      the session is not in a state that allows this
└── DimensionError             an array of another shape than promised

Messages are written for the person who has to act on them: what was wrong, where, what to do.
The command line and the pages print them as they are; a traceback is always a bug.
"""

from __future__ import annotations

from enum import StrEnum


class AttendanceError(Exception):
    """Base of all errors raised on purpose; its message is for people."""


class ConfigError(AttendanceError):
    """A config file or an environment variable is wrong."""


class CameraError(AttendanceError):
    """A camera cannot be opened or read."""


class CameraBusyError(CameraError):
    """Another open session holds that camera."""


class ModelError(AttendanceError):
    """Weights are missing, truncated or foreign."""


class PhotoProblem(StrEnum):
    """Why a photo cannot be used; the value is the key of `--json` outputs."""

    EMPTY = "empty"
    NOT_AN_IMAGE = "not_an_image"
    TOO_LARGE = "too_large"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    FACE_TOO_SMALL = "face_too_small"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    TOO_BLURRED = "too_blurred"


class PhotoError(AttendanceError):
    """One photo cannot be used.

    Attributes:
        reason: the machine-readable cause.
    """

    def __init__(self, reason: PhotoProblem, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class EnrollmentError(AttendanceError):
    """An enrolment as a whole cannot be accepted; nothing of it was stored."""


class RegistryError(AttendanceError):
    """Something about people, consents or templates does not hold."""


class DuplicateStudentError(RegistryError):
    """The student number already belongs to somebody."""


class UnknownStudentError(RegistryError):
    """Nobody has that student number."""


class ConsentMissingError(RegistryError):
    """No live consent: nothing biometric may be stored or used."""


class VaultError(AttendanceError):
    """The encryption key is lost or wrong, or a ciphertext does not open."""


class StorageError(AttendanceError):
    """The database cannot be read or written."""


class StorageFullError(StorageError):
    """The disk is full; nothing of the transaction was kept, nothing before it was lost."""


class StorageVersionError(StorageError):
    """The database was written by a newer version of this program."""


class SessionError(AttendanceError):
    """Something about courses, class sessions or registers does not hold."""


class EmptyCourseError(SessionError):
    """The course has no students on its roster today."""


class SessionStateError(SessionError):
    """The session is not in a state that allows this."""


class DimensionError(AttendanceError, ValueError):
    """An array has another shape than promised."""
