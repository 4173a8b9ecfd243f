"""Settings: what stands in the file, what the environment says, and which line is wrong."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from attendance.config import Config, load_config
from attendance.core.errors import ConfigError
from attendance.home import default_home

SHIPPED = Path(__file__).parents[2] / "config.yaml"


@pytest.fixture
def write(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "config.yaml"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def test_without_a_file_the_defaults_hold():
    assert load_config() == Config()


def test_the_shipped_file_says_what_the_defaults_are():
    assert load_config(SHIPPED) == Config()


def test_the_shipped_file_names_every_key():
    text = SHIPPED.read_text(encoding="utf-8")
    for name, field in Config.model_fields.items():
        for key in field.annotation.model_fields:
            assert f"\n  {key}:" in text, f"{name}.{key}"


def test_every_key_is_explained():
    for field in Config.model_fields.values():
        assert all(sub.description for sub in field.annotation.model_fields.values())


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n", "{}"])
def test_an_empty_file_is_the_defaults(write, text):
    assert load_config(write(text)) == Config()


def test_a_section_with_every_key_commented_out_is_the_defaults(write):
    assert load_config(write("camera:\n  # source: 1\n")) == Config()


def test_a_file_needs_to_name_only_what_differs(write):
    config = load_config(write("session:\n  late_after_min: 15\n"))
    assert config.session.late_after_min == 15
    assert config.session.timezone == "UTC"


def test_the_environment_outranks_the_file(write, monkeypatch):
    monkeypatch.setenv("ATTENDANCE_SESSION__LATE_AFTER_MIN", "20")
    config = load_config(write("session:\n  late_after_min: 15\n  min_coverage: 0.5\n"))
    assert (config.session.late_after_min, config.session.min_coverage) == (20, 0.5)


def test_the_environment_may_name_a_list_and_what_is_no_setting_of_ours(monkeypatch):
    monkeypatch.setenv("ATTENDANCE_DETECTOR__THRESHOLDS", "[0.5, 0.6, 0.7]")
    monkeypatch.setenv("ATTENDANCE_CAMERA__SOURCE", "0")
    monkeypatch.setenv("ATTENDANCE_DATA", "elsewhere")
    monkeypatch.setenv("ATTENDANCE_SENSE__OF", "humour")
    config = load_config()
    assert (config.detector.thresholds, config.camera.source) == ((0.5, 0.6, 0.7), "0")


def test_a_misspelt_key_of_the_environment_is_named(monkeypatch):
    monkeypatch.setenv("ATTENDANCE_WEB__PROT", "80")
    with pytest.raises(ConfigError, match=r"unknown key 'web\.prot'; did you mean 'port'"):
        load_config()


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("decision:\n  treshold: 0.6\n", 2, "unknown key 'decision.treshold'; did you mean 'thr"),
        ("camera:\n  width: 640\n\nsesion:\n  x: 1\n", 4, "unknown key 'sesion'; did you mean 'se"),
        ("zzz: 1\n", 1, "unknown key 'zzz'"),
        ("web:\n  port: 99999\n", 2, "web.port: Input should be less than or equal to 65535"),
        ("# a\n\nweb:\n  # b\n  port: many\n", 5, "web.port: Input should be a valid integer"),
        ("session:\n  timezone: Asia/Soul\n", 2, "no time zone is called 'Asia/Soul'; try Asia"),
        ("detector:\n  thresholds: [0.6, 0.7]\n", 2, "detector.thresholds"),
        ("decision:\n  threshold: 0.3\n", 1, "review_threshold must not lie above threshold"),
        ("camera: webcam\n", 1, "camera: Input should be a valid dictionary"),
    ],
)
def test_a_mistake_is_named_with_its_line(write, text, line, says):
    path = write(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert f"{path}, line {line}: " in str(caught.value)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_mistake_is_named_at_once(write):
    with pytest.raises(ConfigError) as caught:
        load_config(write("web:\n  port: -1\n  pot: 1\ncamera:\n  width: 1\n"))
    said = str(caught.value).splitlines()
    assert [line.partition(", ")[2].partition(":")[0] for line in said] == [
        "line 5",
        "line 2",
        "line 3",
    ]


def test_a_mistake_of_the_environment_is_named_without_a_file(monkeypatch):
    monkeypatch.setenv("ATTENDANCE_WEB__PORT", "many")
    with pytest.raises(ConfigError, match=r"environment: web\.port: Input should be a valid int"):
        load_config()


@pytest.mark.parametrize(
    ("content", "encoding", "says"),
    [
        ("camera: [1\n", "utf-8", "not valid YAML"),
        ("- camera\n- web\n", "utf-8", "expected sections such as 'camera:', got list"),
        ("just a sentence", "utf-8", "expected sections such as 'camera:', got str"),
        ("session: {timezone: \u00e9}", "latin-1", "cannot be read as text"),
        ("a: !!python/object/apply:os.getcwd []", "utf-8", "not valid YAML"),
    ],
)
def test_what_is_no_config_is_refused_in_a_sentence(write, content, encoding, says):
    path = write(content, encoding)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.yaml: cannot be read as text"):
        load_config(tmp_path / "absent.yaml")


def test_keys_that_are_no_text_are_unknown_keys(write):
    with pytest.raises(ConfigError, match="unknown key '1'"):
        load_config(write("1: 2\n"))


def test_settings_do_not_change_while_the_system_runs():
    config = Config()
    with pytest.raises(ValidationError, match="frozen"):
        config.web.port = 1
    with pytest.raises(ValidationError, match="frozen"):
        config.camera = None


def sections():
    return [field.annotation for field in Config.model_fields.values()]


@pytest.mark.parametrize("section", sections(), ids=lambda section: section.__name__)
def test_every_section_refuses_unknown_keys(section: type[BaseModel]):
    with pytest.raises(ValidationError, match="Extra inputs"):
        section.model_validate({"no_such_key": 1})


def test_home_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("ATTENDANCE_HOME", str(tmp_path / "here"))
    assert default_home() == tmp_path / "here"


def test_home_is_else_where_the_platform_keeps_such_things():
    assert default_home().is_absolute()
    assert default_home().name == "attendance"
