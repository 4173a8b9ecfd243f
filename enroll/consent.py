"""What a student agrees to before anything biometric is stored."""

from __future__ import annotations

CONSENT_VERSION = "2026-11-2"

_TEXTS = {
    "en": (
        "I agree that five photos of my face are turned into face templates (numbers from which "
        "no photo can be made again by this program) and that cameras in my classes compare faces "
        "with them to record my attendance. The photos are not kept. The templates are stored "
        "encrypted, are used for nothing else, and are deleted when I withdraw. So that a decision "
        "can be explained to me, small pictures of my face as the camera saw it are kept "
        "encrypted for as many days as my school has set (14 if it has set none), and are "
        "deleted when I withdraw. I may withdraw at "
        "any time; my attendance is then recorded by the instructor, with no disadvantage to me."
    ),
    "ko": (
        "본인의 얼굴 사진 다섯 장을 얼굴 특징 정보로 변환하고, 수업의 카메라가 출석 기록을 위해 "
        "이를 비교하는 것에 동의합니다. 사진은 보관되지 않습니다. 특징 정보는 암호화되어 저장되며 "
        "다른 용도로 쓰이지 않고, 동의를 철회하면 삭제됩니다. 판정의 이유를 설명할 수 있도록 "
        "카메라에 찍힌 본인의 작은 얼굴 사진이 학교가 정한 기간(정하지 않으면 14일) 동안 "
        "암호화되어 보관되며, 동의를 철회하면 삭제됩니다. 언제든지 철회할 수 있으며, 이 경우 "
        "교수자가 직접 출석을 기록하고 어떠한 불이익도 없습니다."
    ),
}


def consent_text(language: str = "en") -> str:
    """The text of `CONSENT_VERSION` in this language, English where there is no translation.

    >>> consent_text("en")[:7]
    'I agree'
    """
    return _TEXTS.get(language, _TEXTS["en"])
