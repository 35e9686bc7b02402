"""A bundle is believed only when every byte is what the manifest says, and no name leads out of its folder."""

import json
import os
import shutil

import pytest

from automl.bundle.format import (
    CARD,
    LATEST,
    MANIFEST,
    SCHEMA,
    WEIGHTS,
    Facts,
    check_bundle,
    check_member,
    make_manifest,
    read_manifest,
    read_member,
    resolve,
)
from automl.bundle.load import load_model
from automl.errors import StorageError

FACTS = Facts("toy", "mlp", "toy-0", 0, 0, "accuracy", "maximize", {}, "0" * 64)
HOSTILE_NAMES = [
    "",
    ".",
    "..",
    "../x",
    "a/../../b",
    "/etc/passwd",
    "a/b",
    "a\\b",
    "C:\\x",
    "C:x",
    "a\0b",
    "a\nb",
    "a\n",
    "%2e%2e",
    "a%2fb",
    "~root",
    "-rf",
    ".hidden",
    "a.",
    "a..b",
    " a",
    "a ",
    "a" * 101,
    "ü",
    "a\u202eb",
    "a*",
    "$(x)",
    "`x`",
    "a;b",
    "a|b",
    "weights.safetensors/",
    "\ufeffa",
]


def test_a_whole_bundle_is_accepted(made):
    assert WEIGHTS in check_bundle(made).files


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_name_that_could_leave_the_folder_is_refused(name):
    with pytest.raises(StorageError, match="unsafe name"):
        check_member(name)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd"])
def test_a_manifest_that_lists_a_hostile_name_is_refused_unread(tmp_path, name):
    (tmp_path / "outside").write_text("secret")
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "a").write_text("secret")
    text = make_manifest(folder, FACTS).decode()
    body = json.loads(text)
    body["files"] = {name: body["files"]["a"]}
    _write_manifest(folder, body)
    with pytest.raises(StorageError, match="unsafe name"):
        read_manifest(folder)


def test_a_flipped_byte_in_any_file_is_found(bundle):
    for path in sorted(bundle.iterdir()):
        whole = path.read_bytes()
        for place in {0, len(whole) // 2, len(whole) - 1}:
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(StorageError):
                load_model(bundle)
        path.write_bytes(whole)
    load_model(bundle)


def test_a_flip_of_any_bit_of_the_manifest_is_found(tmp_path):
    (tmp_path / "a").write_text("x")
    whole = make_manifest(tmp_path, FACTS)
    path = tmp_path / MANIFEST
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])
        with pytest.raises(StorageError):
            read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("old", "new"), [(b"\n ", b"\n\t"), (b'"format": 1', b'"format": 1, "format": 1'), (b'"toy"', b'"\\u0074oy"')]
)
def test_a_manifest_has_one_spelling_only(tmp_path, old, new):
    whole = make_manifest(tmp_path, FACTS)
    assert old in whole
    (tmp_path / MANIFEST).write_bytes(whole.replace(old, new, 1))
    with pytest.raises(StorageError, match=r"was changed|cannot be read"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("damage", ["truncated", "longer", "missing", "link", "pipe", "folder"])
def test_a_member_that_is_not_the_listed_file_is_refused(bundle, tmp_path, damage):
    path = bundle / CARD
    whole = path.read_bytes()
    path.unlink()
    match damage:
        case "truncated":
            path.write_bytes(whole[:-1])
        case "longer":
            path.write_bytes(whole + b" ")
        case "link":
            (tmp_path / "same").write_bytes(whole)
            path.symlink_to(tmp_path / "same")
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
    with pytest.raises(StorageError, match=CARD):
        check_bundle(bundle)


def test_a_member_that_is_changed_after_it_was_checked_is_not_read(bundle):
    manifest = check_bundle(bundle)
    content = (bundle / SCHEMA).read_bytes()
    assert read_member(bundle, manifest, SCHEMA) == content
    (bundle / SCHEMA).write_bytes(content[:-1] + b" ")
    with pytest.raises(StorageError, match=f"{SCHEMA} was changed"):
        read_member(bundle, manifest, SCHEMA)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"format": 1}', b"[" * 100_000, b"\xff\xfe", b"{}" * 600_000]
)
def test_a_manifest_that_is_none_is_a_storage_error(tmp_path, content):
    (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(StorageError):
        read_manifest(tmp_path)


def test_another_format_version_says_to_update(tmp_path):
    (tmp_path / MANIFEST).write_text('{"format": 99}')
    with pytest.raises(StorageError, match="Update automl-search"):
        read_manifest(tmp_path)


def test_a_folder_without_manifest_is_no_bundle(tmp_path):
    with pytest.raises(StorageError, match="is not a bundle"):
        load_model(tmp_path)


def test_latest_leads_to_a_version_and_nowhere_else(made, tmp_path):
    shutil.copytree(made, tmp_path / "v-0123456789ab")
    (tmp_path / LATEST).write_text("v-0123456789ab\n")
    assert resolve(tmp_path) == tmp_path / "v-0123456789ab"
    for name in ("../elsewhere", "/etc", "v-xyz", "", "v-0123456789ab/../.."):
        (tmp_path / LATEST).write_text(name)
        with pytest.raises(StorageError, match="no version folder"):
            resolve(tmp_path)
    (tmp_path / "v-ba9876543210").symlink_to(made)
    (tmp_path / LATEST).write_text("v-ba9876543210\n")
    with pytest.raises(StorageError, match="no version folder"):
        resolve(tmp_path)


def _write_manifest(folder, body):
    """Spell a manifest as the attacker would: with a digest that fits."""
    from automl.bundle import format as bundle_format

    body.pop("digest", None)
    (folder / MANIFEST).write_bytes(bundle_format._spell({**body, "digest": bundle_format._digest(body)}))
