"""The whole way of a class through real parts: enrolled, seen, lost, found again, closed."""

import csv
import math
from pathlib import Path

import cv2
import numpy as np
import platformdirs
import pytest
from playwright.sync_api import expect

from attendance.core.domain import Pose
from attendance.demo.sample_class import sample_photos

PERSON = "mindy_kaling"
SEEN_WITHIN_MS = 90_000
FPS, SECONDS_A_PHOTO = 10, 5


@pytest.fixture(scope="session")
def photos():
    cache = Path(platformdirs.user_cache_dir("attendance", appauthor=False))
    return sample_photos(cache)[PERSON]


@pytest.fixture
def lesson(photos, tmp_path):
    """A video in which the person's last photos, none of them enrolled, move about a grey room."""
    path = tmp_path / "lesson.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (1280, 720))
    for photo in photos[-5:]:
        picture = cv2.imread(str(photo))
        scale = 420 / picture.shape[0]
        picture = cv2.resize(picture, None, fx=scale, fy=scale)[:, :1000]
        height, width = picture.shape[:2]
        for number in range(FPS * SECONDS_A_PHOTO):
            frame = np.full((720, 1280, 3), 120, np.uint8)
            left = 120 + int(20 * math.sin(number / 8))
            frame[150 : 150 + height, left : left + width] = picture
            writer.write(frame)
    writer.release()
    return path


def add_course(page, code, name):
    page.get_by_role("link", name="Add a course").click()
    page.get_by_label("Code").fill(code)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Time zone").fill("Asia/Seoul")
    page.get_by_role("button", name="Add course").click()


def add_student(page, number, name):
    page.get_by_label("Number").fill(number)
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Add to the roster").click()
    expect(page.locator(".roster")).to_contain_text(name)


def choose_photos(page, photos):
    """Five photos; one that is refused is replaced by the next, as its owner would."""
    spare = iter(photos)
    for pose in Pose:
        tile = page.locator(f".tile[data-pose='{pose.value}']")
        while tile.get_attribute("data-state") != "good":
            tile.locator("input").set_input_files(next(spare))
            expect(tile).not_to_have_attribute("data-state", "empty")
            expect(tile).not_to_have_attribute("data-state", "checking", timeout=SEEN_WITHIN_MS)


def test_a_class_from_enrolment_to_csv(visit, attendance_run, photos, lesson, tmp_path):
    page = visit().page
    page.goto(attendance_run)
    add_course(page, "MUS-1", "Music")
    add_student(page, "1", "Mindy")
    add_student(page, "2", "김민수")

    page.get_by_role("link", name="Enrol Mindy").click()
    note = tmp_path / "note.jpg"
    note.write_text("this is no photo")
    page.locator("#consent").check()
    page.get_by_label("Front").set_input_files(note)
    expect(page.locator("#report-front")).to_contain_text("not a photo", timeout=SEEN_WITHIN_MS)
    choose_photos(page, photos[:-5])
    page.get_by_role("button", name="Enrol").click()
    expect(page.locator("#done")).to_be_visible(timeout=SEEN_WITHIN_MS)

    page.get_by_role("link", name="Today").click()
    expect(page.locator("#figure-enrolled")).to_have_text("1")
    page.get_by_label("Another camera").check()
    page.get_by_label("Video file", exact=True).check()
    page.get_by_label("File on this machine").fill(str(lesson))
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#count-all")).to_have_text("2")
    page.evaluate("window.isTheSamePage = true")

    seen = page.locator(".entry", has_text="Mindy")
    expect(seen).to_have_attribute("data-status", "present", timeout=SEEN_WITHIN_MS)
    expect(page.locator("#video-wait")).to_be_hidden()

    page.context.set_offline(True)
    expect(page.locator("#connection")).to_contain_text("Connection lost")
    colleague = visit().page
    colleague.goto(page.url)
    colleague.locator(".entry", has_text="김민수").click()
    colleague.get_by_label("Excused").check()
    colleague.get_by_role("button", name="Save").click()
    expect(colleague.locator(".entry", has_text="김민수")).to_contain_text("Excused")
    other = page.locator(".entry", has_text="김민수")
    expect(other).to_have_attribute("data-status", "unseen")
    page.context.set_offline(False)
    expect(other).to_have_attribute("data-status", "excused")
    assert page.evaluate("window.isTheSamePage === true")

    page.get_by_role("link", name="Close register").click()
    page.get_by_role("button", name="Close the register").click()
    expect(page.locator(".sum-main")).to_contain_text("1 of 2")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    download.value.save_as(tmp_path / "register.csv")
    with (tmp_path / "register.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    found = [(row["student_no"], row["name"], row["status"], row["source"]) for row in rows]
    assert found == [("1", "Mindy", "present", "auto"), ("2", "김민수", "excused", "human")]
    assert rows[0]["first_seen"].endswith("+09:00")
