"""Damaged files: each is read, or one clear line says what is wrong, in bounded memory and time.

`make fuzz` tries 10,000 cases of each reader, `make test` 200.
"""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz import generative_readers, hourglass_readers, lifter_readers, shared_readers
from tests.fuzz.forms import AS_JSON, AS_SAFETENSORS, damaged, single_edits, text_forms
from tests.fuzz.guard import refusal

READERS = (
    shared_readers.READERS
    | hourglass_readers.READERS
    | lifter_readers.READERS
    | generative_readers.READERS
)
CASES = 200


@pytest.fixture(autouse=True)
def thawed_afterwards() -> Iterator[None]:
    """What a test's cases have frozen is collected after it (`guard.limited_memory`)."""
    yield
    gc.unfreeze()


@pytest.mark.parametrize("name", READERS)
@pytest.mark.filterwarnings("ignore")
def test_damage_is_refused_clearly_or_read(name: str, tmp_path: Path) -> None:
    reader = READERS[name]
    path = reader.write(tmp_path)
    assert refusal(reader.read, path) == "", "the file that is damaged must be good"
    contents = [form.take(path) for form in reader.forms]
    refused = []

    @settings(
        max_examples=max(CASES, settings().max_examples),
        # The same cases each time, but for `make fuzz`, which looks for new ones.
        derandomize=settings().max_examples < CASES,
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much),
        # Why a case fails is easy to see; to find out by tracing takes minutes.
        phases=set(Phase) - {Phase.explain},
    )
    @given(st.data())
    def cases(data: st.DataObject) -> None:
        number = data.draw(st.integers(0, len(reader.forms) - 1), "form")
        form = reader.forms[number]
        edits = data.draw(form.edits, "edits")
        path.write_bytes(damaged(form, contents[number], edits))
        refused.append(refusal(reader.read, path) != "")

    cases()
    assert any(refused), "no damage was noticed"


@pytest.mark.parametrize("name", [name for name, one in READERS.items() if text_forms(one.forms)])
@pytest.mark.filterwarnings("ignore")
def test_odd_values_in_every_place_of_a_text(name: str, tmp_path: Path) -> None:
    """One word or value at a time, each place and each of the odd ones."""
    reader = READERS[name]
    path = reader.write(tmp_path)
    forms = text_forms(reader.forms)
    contents = [form.take(path) for form in forms]
    for form, content in zip(forms, contents, strict=True):
        for edits in single_edits(form, content):
            path.write_bytes(form.put(form.change(content, edits)))
            refusal(reader.read, path)


@pytest.mark.parametrize("name", [n for n, one in READERS.items() if AS_SAFETENSORS in one.forms])
@pytest.mark.filterwarnings("ignore")
def test_numbers_too_large_in_every_place_of_metadata(name: str, tmp_path: Path) -> None:
    """No network without end is built."""
    reader = READERS[name]
    path = reader.write(tmp_path)
    content = AS_SAFETENSORS.take(path)
    for edits in single_edits(AS_JSON, content["metadata"], (2**63, 10**400)):
        metadata = AS_JSON.change(content["metadata"], edits)
        if isinstance(metadata, dict):
            path.write_bytes(AS_SAFETENSORS.put({**content, "metadata": metadata}))
            refusal(reader.read, path)
