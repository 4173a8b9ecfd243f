"""The live page in a real browser: rows that fill by themselves, and nothing missed."""

import csv
import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from attendance.core.domain import CameraState, Decision, Status
from attendance.sessions import Pulse


def entry(page, student):
    return page.locator(f".entry[data-student='{student.id}']")


def open_live(page, room, session):
    page.goto(f"{room.url}/sessions/{session.id}")
    expect(page.locator("#main")).to_have_attribute("data-connection", "on")
    page.evaluate("window.isTheSamePage = true")


def is_the_same_page(page):
    return page.evaluate("window.isTheSamePage === true")


def test_a_row_turns_present_without_a_reload(page, room):
    session = room.open()
    open_live(page, room, session)
    first = entry(page, room.students[0])
    expect(first).to_have_attribute("data-status", "unseen")
    expect(page.locator("#count-here")).to_have_text("0")

    room.see(session, room.students[0])

    expect(first).to_have_attribute("data-status", "present")
    expect(first).to_contain_text("김민수")
    expect(first).to_contain_text("Present")
    expect(first).to_have_class(re.compile("is-new"))
    expect(page.locator("#count-here")).to_have_text("1")
    expect(page.locator("#announcer")).to_have_text("김민수: Present")
    assert is_the_same_page(page)


def test_a_browser_that_was_offline_catches_up(page, room):
    session = room.open()
    open_live(page, room, session)
    room.see(session, room.students[0])
    expect(page.locator("#count-here")).to_have_text("1")

    page.context.set_offline(True)
    expect(page.locator("#connection")).to_contain_text("Connection lost")
    room.see(session, *room.students[1:4])
    room.see(session, room.students[4], decision=Decision.REVIEW, similarity=0.45)
    expect(page.locator("#count-here")).to_have_text("1")

    page.context.set_offline(False)
    expect(page.locator("#count-here")).to_have_text("4")
    expect(page.locator("#connection")).to_be_hidden()
    expect(entry(page, room.students[4])).to_have_attribute("data-status", "review")
    room.see(session, room.students[5])
    expect(page.locator("#count-here")).to_have_text("5")
    assert is_the_same_page(page)


FEED = """async () => {
  const { Feed } = await import("/static/js/feed.js");
  const taken = [], questions = [];
  const feed = Object.create(Feed.prototype);
  const socket = { emit: (_, question, answer) => questions.push([question.after, answer]) };
  const listener = { onEvents: (_, fresh) => taken.push(...fresh.map((event) => event.number)) };
  for (const name of ["onCamera", "onTrouble", "onConnection"]) listener[name] = () => {};
  Object.assign(feed, { session: 1, last: 2, heard: 2, isAsking: false, socket, listener });
  const message = (...numbers) => ({ events: numbers.map((number) => ({ number })), rows: [] });
  feed.take(message(1, 2, 3));
  feed.take(message(3));
  feed.take(message(5));
  feed.take(message(6));
  questions[0][1](message(4, 5));
  questions[1][1](message(6));
  return { taken, asked: questions.map(([after]) => after) };
}"""


def test_numbers_come_once_in_order_and_a_gap_is_asked_for(page, room):
    """A push may overtake the answer that would have filled its gap: 6 was lost that way."""
    page.goto(room.url)
    assert page.evaluate(FEED) == {"taken": [3, 4, 5, 6], "asked": [3, 5]}


def test_a_doubt_is_decided_by_a_person(page, room):
    session = room.open()
    open_live(page, room, session)
    doubtful = room.students[2]
    room.see(session, doubtful, decision=Decision.REVIEW, similarity=0.45)

    page.locator(".tray-card", has_text="Ada Lovelace").click()
    dialog = page.locator("#correct")
    expect(dialog).to_contain_text("was not certain")
    expect(dialog.locator("#why-words")).to_contain_text("72\u00a0% alike where")
    dialog.get_by_label("Present").check()
    dialog.get_by_label("Reason").fill("I know her")
    dialog.get_by_role("button", name="Save").click()

    expect(dialog).to_be_hidden()
    expect(entry(page, doubtful)).to_have_attribute("data-status", "present")
    expect(page.locator("#tray-empty")).to_be_visible()
    row = next(r for r in room.sessions.register(session.id) if r.student_id == doubtful.id)
    assert (row.status, row.note) == (Status.PRESENT, "I know her")


def test_why_opens_the_looks_and_what_the_camera_saw(page, room):
    session = room.open()
    student = room.students[0]
    room.school.registry.give_consent(
        student.id, text_version="1", language="ko", at=session.opened_at
    )
    room.see(session, student)
    open_live(page, room, session)
    entry(page, student).get_by_role("button", name="Why 김민수?").click()
    panel = page.locator("#why")
    expect(panel.locator("#why-words")).to_contain_text("86\u00a0% alike where 76\u00a0% is needed")
    expect(panel.locator("#why-looks tr")).to_have_count(1)
    face = panel.get_by_role("img", name="What the camera saw at")
    expect(face).to_be_visible()
    assert face.evaluate("image => image.complete && image.naturalWidth > 0")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


FLAW = "turned 40 degrees away, blurred over 4.2 pixels"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", ["live", "register"])
def test_a_weak_look_says_what_was_wrong_with_it(page, room, scheme, screen):
    session = room.open()
    student = room.students[0]
    room.see(session, student, flaw=FLAW)
    room.see(session, student)
    page.emulate_media(color_scheme=scheme)
    if screen == "live":
        open_live(page, room, session)
    else:
        room.sessions.close(session.id, at=datetime.now(UTC))
        page.goto(f"{room.url}/sessions/{session.id}/register")
    page.get_by_role("button", name="Why 김민수?").click()
    rows = page.locator("#why-looks tr")
    expect(rows).to_have_count(3)
    told = rows.filter(has_text=f"Weak view: {FLAW}.")
    expect(told).to_be_visible()


def test_a_doubted_mark_asks_for_a_person(page, room):
    session = room.open()
    student = room.students[0]
    room.see(session, student)
    open_live(page, room, session)
    room.doubt(session, student)
    expect(entry(page, student)).to_contain_text("please check")
    expect(page.locator(".tray-card")).to_contain_text("김민수")
    expect(page.locator("#announcer")).to_contain_text("speak against this name")
    room.see(session, student)
    expect(page.locator("#tray-empty")).to_be_visible()


def test_search_and_filters_find_people(page, room):
    session = room.open()
    room.see(session, *room.students[:2])
    open_live(page, room, session)
    shown = page.locator(".entry:visible")
    expect(shown).to_have_count(6)
    page.keyboard.press("/")
    page.keyboard.type("서연")
    expect(shown).to_have_count(1)
    expect(shown).to_contain_text("이서연")
    page.keyboard.type("x")
    expect(page.locator("#nobody")).to_be_visible()
    page.locator("#search").fill("")
    page.locator("[data-filter=present]").click()
    expect(shown).to_have_count(2)
    room.see(session, room.students[3])
    expect(shown).to_have_count(3)


def test_the_keyboard_does_everything(page, room):
    session = room.open()
    open_live(page, room, session)
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_contain_text("pause or resume")
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    expect(page.locator("#canvas")).to_be_hidden()
    page.keyboard.press("b")
    expect(page.locator("#canvas")).to_be_visible()
    page.keyboard.press("p")
    expect(page.locator("#camera-state")).to_have_text("Paused")
    page.keyboard.press("p")
    expect(page.locator("#pause-form")).to_be_visible()
    entry(page, room.students[0]).get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#correct-name")).to_have_text("김민수")
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    page.wait_for_url("**/close")


def test_a_lost_camera_is_a_banner_in_words(page, room):
    session = room.open()
    open_live(page, room, session)
    owner = "1:1.0"
    room.sessions.acquire_lease(room.camera.id, session.id, owner)
    room.sessions.beat(session.id, owner, pulse=Pulse(1200, 120, 9.8, 0.1, 1280, 720, 2))
    room.sessions.camera_changed(session.id, CameraState.LIVE, at=session.opened_at)
    expect(page.locator("#camera-state")).to_have_text("Camera running")
    expect(page.locator("#figure-unknown")).to_have_text("2")
    expect(page.locator("#figure-fps")).to_have_text("10")
    expect(page.locator("#figure-skipped")).to_have_text("10 %")
    expect(page.locator("#reach")).to_contain_text("up to about 4.6 m from this camera")
    room.sessions.camera_changed(
        session.id, CameraState.LOST, at=session.opened_at, detail="no picture comes any more"
    )
    banner = page.locator("#video-banner")
    expect(banner).to_contain_text("Camera lost, reconnecting")
    expect(banner).to_contain_text("no picture comes any more")
    room.sessions.camera_changed(session.id, CameraState.LIVE, at=session.opened_at)
    expect(page.locator("#camera-state")).to_have_text("No camera process"), "its beats stopped"


def test_looking_again_is_said_on_every_screen(visit, room):
    session = room.open()
    first, second = visit().page, visit(color_scheme="dark").page
    open_live(first, room, session)
    open_live(second, room, session)
    first.get_by_role("button", name="Look again, back row").click()
    for window in (first, second):
        expect(window.get_by_role("button", name="Looking again")).to_be_disabled()
    room.sessions.looked_again(session.id, faces=3, at=session.opened_at)
    for window in (first, second):
        expect(window.locator("#sweep-notice")).to_have_text("Looked again: 3 more faces found")
        expect(window.get_by_role("button", name="Look again, back row")).to_be_enabled()


def test_two_windows_follow_the_same_class_to_its_close(visit, room):
    session = room.open(minutes_ago=50)
    room.sessions.add_coverage(session.id, 2950.0)
    first, second = visit().page, visit(color_scheme="dark").page
    open_live(first, room, session)
    open_live(second, room, session)
    room.see(session, room.students[0])
    for window in (first, second):
        expect(window.locator("#count-here")).to_have_text("1")

    first.get_by_role("link", name="Close register").click()
    expect(first.locator(".paper")).to_contain_text("5 will be absent")
    first.get_by_role("button", name="Close the register").click()
    expect(first.locator(".sum-main")).to_contain_text("1 of 6")
    second.wait_for_url("**/register")


def test_the_register_is_corrected_settled_and_downloaded(page, room, tmp_path):
    session = room.open(minutes_ago=50)
    room.see(session, room.students[0])
    room.sessions.close(session.id, at=session.opened_at.replace(microsecond=0))
    page.goto(f"{room.url}/sessions/{session.id}/register")
    expect(page.locator("#needs-instructor")).to_contain_text("This register needs you")

    row = page.locator(f"tr[data-student='{room.students[1].id}']")
    row.get_by_role("button", name="Correct 이서연").click()
    page.get_by_label("Excused").check()
    page.get_by_label("Reason").fill("병원")
    page.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("Excused")
    expect(row).to_contain_text("병원")

    page.get_by_role("button", name="Confirm the rest as absent").click()
    expect(page.locator("#needs-instructor")).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    download.value.save_as(tmp_path / "register.csv")
    with (tmp_path / "register.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["status"] for r in rows] == ["late", "excused"] + ["absent"] * 4
    assert [r["name"] for r in rows][:3] == ["김민수", "이서연", "Ada Lovelace"]
    assert rows[1]["note"] == "병원"


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_no_screen_scrolls_sideways_or_complains(visit, room, width, is_dark):
    session = room.open(minutes_ago=50)
    room.see(session, *room.students[:3])
    room.see(session, room.students[3], decision=Decision.REVIEW, similarity=0.45)
    size = {"width": width, "height": 844}
    page = visit(viewport=size, color_scheme="dark" if is_dark else "light").page
    screens = ["/", "/courses", f"/courses/{room.code}", f"/sessions/{session.id}"]
    screens += [f"/sessions/{session.id}/close", f"/students/{room.students[0].number}/enroll"]
    for screen in screens:
        page.goto(room.url + screen)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, screen
        theme = page.evaluate("document.documentElement.dataset.bsTheme")
        assert theme == ("dark" if is_dark else "light")
    room.sessions.close(session.id, at=session.opened_at)
    page.goto(f"{room.url}/sessions/{session.id}/register")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_the_theme_is_switched_and_remembered(page, room):
    page.goto(room.url)
    button = page.locator("[data-action=theme]")
    button.click()
    button.click()
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    expect(button).to_have_attribute("aria-label", re.compile("dark"))
