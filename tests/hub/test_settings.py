"""Settings: file, environment, and one clear line for every mistake."""

import shutil
from pathlib import Path

import pytest

from hub.city import load_city
from hub.settings import load_settings
from store.errors import ConfigError

CONFIGS = Path(__file__).parent.parent.parent / "configs"


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CONFIGS, tmp_path / "configs"))


def append(configs: Path, name: str, text: str) -> None:
    path = configs / name
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def test_shipped_configuration_is_good(configs: Path) -> None:
    assert load_settings(configs).city.name == "敦化市"
    assert load_city(configs).directory.names["urban_enforcement"] == "市执法局"


def test_environment_wins_over_the_file(configs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINSHENG_LISTEN__PORT", "9999")
    monkeypatch.setenv("MINSHENG_CONNECTORS__APP__KEYS", '{"city": "s3cret"}')
    settings = load_settings(configs)
    assert settings.listen.port == 9999
    assert settings.connectors.app.keys["city"].get_secret_value() == "s3cret"
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("hub.toml", "\n[listne]\nport = 1\n", "listne: unknown key"),
        ("hub.toml", "\n[net]\nallow = ['nonsense']\n", "net.allow"),
        ("hub.toml", "\n[connectors.feeds.x]\nurl = 'ftp://x'\n", "connectors.feeds.x.url"),
        (
            "hub.toml",
            "\n[connectors.feeds.y]\nurl = 'http://x'\nevery = 3\n",
            "every: unknown key",
        ),
        ("hub.toml", "\nthis is not toml", "not valid TOML"),
        ("taxonomy.toml", "\n[[problem]]\nid = 'litter'\nname = 'x'\n", "used twice"),
        ("taxonomy.toml", "\n[[problem]]\nid = 'Bad Id'\nname = 'x'\n", "problem.6.id"),
        ("departments.toml", "\n[[department]]\nid = 'z'\n", "department.14.name: missing"),
        ("deadlines.toml", "\n[problem.litre]\namount = 1\nunit = 'work_days'\n", "litre"),
    ],
)
def test_mistake_in_a_file_is_one_line(configs: Path, name: str, text: str, says: str) -> None:
    append(configs, name, text)
    with pytest.raises(ConfigError) as caught:
        load_settings(configs)
        load_city(configs)
    assert says in str(caught.value)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value).strip() or "TOML" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("MINSHENG_TYPO", "1", "MINSHENG_TYPO is not a setting"),
        ("MINSHENG_LISTEN__PORT", "many", "listen.port"),
        ("MINSHENG_CITY__TIMEZONE", "Mars/Base", "not a time zone"),
        ("MINSHENG_WEBHOOK_SECRETS", "not json", "write it as JSON"),
    ],
)
def test_mistake_in_the_environment_is_one_line(
    configs: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=says):
        load_settings(configs)


def test_missing_folder_says_what_to_copy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="copy it from the project's configs"):
        load_settings(tmp_path)
