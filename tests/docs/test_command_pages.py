"""The pages of the commands are those that the options make."""

import re

import pytest

from docs.command_pages import FOLDER, SCRIPTS, file_name, pages


def test_the_pages_are_as_the_options_make_them():
    on_disk = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    made = pages()
    assert on_disk.keys() == made.keys(), "run `make pages`"
    assert not [name for name, text in made.items() if on_disk[name] != text], "run `make pages`"


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_subcommand_has_a_page_that_the_list_names(script: str):
    listed = pages()["README.md"]
    for name in SCRIPTS[script]:
        assert f"]({file_name(script, name)})" in listed


def test_examples_are_all_commands_of_the_readme():
    made = pages()
    text = (FOLDER.parents[1] / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^python (\S+\.py) (\w+).*", text, re.MULTILINE)
    lines = re.findall(r"^python \S+\.py \w+.*", text, re.MULTILINE)
    assert len(lines) > 15
    for (script, name), line in zip(commands, lines, strict=True):
        assert f"\n{line}\n" in made[file_name(script, name)]


def test_a_page_tells_names_default_and_meaning():
    page = pages()["run_pose.md"]
    assert "\n| `--device`, `--accelerator` `{auto,cpu,gpu,cuda,mps}` | `auto` | Kind of" in page
    assert r"| `--height` `{None}\|FLOAT` | `None` | Standing height of the person, mm;" in page
    assert "\npython run.py pose photo.jpg\n" in page
    assert "\n| `INPUT...` | `required` | Pictures, videos," in page
    assert "&lt;name>_3d.jpg" in page
