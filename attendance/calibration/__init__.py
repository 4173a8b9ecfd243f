"""What a camera and a course are held to: operating points, cohorts, drift, the background."""

from attendance.calibration.calibrations import Calibrations
from attendance.calibration.models import DriftNotice, OperatingPoint

__all__ = ["Calibrations", "DriftNotice", "OperatingPoint"]
