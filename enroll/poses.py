"""What each of the five enrolment photos shows. Left and right are the student's own."""

from __future__ import annotations

from attendance.core.domain import Pose

POSE_HINTS: dict[Pose, str] = {
    Pose.FRONT: "Look straight into the camera, face relaxed.",
    Pose.SMILE: "Look straight into the camera and smile.",
    Pose.GLASSES: "With your glasses on; if you wear none, one more straight look.",
    Pose.LOWER_LEFT: "Turn your head a little to your left and down.",
    Pose.LOWER_RIGHT: "Turn your head a little to your right and down.",
}


def pose_of_file(name: str) -> Pose | None:
    """The pose a file is named after, such as `kim-lower-left.jpg`; None if it names none.

    >>> pose_of_file("kim_Lower_Left.JPG"), pose_of_file("2.jpg")
    (<Pose.LOWER_LEFT: 'lower-left'>, None)
    """
    plain = name.lower().replace("_", "-").replace(" ", "-")
    found = [pose for pose in Pose if pose.value in plain]
    return found[0] if len(found) == 1 else None
