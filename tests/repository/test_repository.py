"""A tiny hub on loopback: downloads, the cache, and every way in which a hub says no."""

from __future__ import annotations

import json
import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core import catalog, repository
from core.errors import HubUnreachable, ModelError, ModelRefused
from core.providers import open_model
from core.repository import download, transfer
from core.repository.transfer import Tally
from core.settings import Settings
from core.types import Finished, Message, ModelSpec, Progress, Request
from core.worker import Worker
from tests.support import tiny_models
from tests.support.fake_hub import COMMIT, REPO, Hub, Serving
from tests.support.fakes import Clock


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub")
    tiny_models.build("gpt2", folder)
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    (folder / "modeling_evil.py").write_text("boom")
    (folder / "onnx.onnx").write_bytes(b"0" * 1000)
    return folder


@pytest.fixture
def hub(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    from huggingface_hub import constants

    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Serving(files) as serving:
        monkeypatch.setenv("HF_ENDPOINT", serving.address)
        yield serving.handler


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", models=tmp_path / "models")


def remote(**changes: object) -> ModelSpec:
    row = tiny_models.row(Path("gpt2"), name="GPT-2", bundled=False)
    return replace(row, **({"source": REPO, "revision": COMMIT, "download_bytes": 548_000_000} | changes))  # type: ignore[arg-type]


def test_a_snapshot_is_downloaded_once_and_then_read_without_the_hub(hub: type[Hub], settings: Settings) -> None:
    seen: list[Progress] = []
    assert not repository.present(remote(), settings)
    folder = repository.folder(remote(), settings, seen.append)
    names = {path.name for path in folder.iterdir()}
    assert names >= {"config.json", "generation_config.json", "tokenizer.json", "model.safetensors"}
    assert not names & {"pytorch_model.bin", "modeling_evil.py", "onnx.onnx"}
    assert seen[-1].note.startswith("downloading GPT-2: ")
    assert seen[-1].done == seen[-1].total == repository.size(folder)
    asked = len(hub.asked)
    assert repository.present(remote(), settings)
    assert repository.folder(remote(), settings) == folder
    assert len(hub.asked) == asked


def test_a_branch_is_followed_to_its_commit(hub: type[Hub], settings: Settings) -> None:
    folder = repository.folder(remote(revision="main"), settings)
    assert folder.name == COMMIT
    assert repository.present(remote(revision="main"), settings)


def test_a_download_that_broke_off_is_taken_up_again(hub: type[Hub], settings: Settings) -> None:
    folder = repository.folder(remote(), settings)
    (folder / "tokenizer.json").unlink()
    assert not repository.present(remote(), settings)
    assert (repository.folder(remote(), settings) / "tokenizer.json").is_file()


@pytest.mark.parametrize(
    ("mood", "error", "sentence"),
    [
        ("gated", ModelRefused, r"GPT-2 is gated: accept its terms at http://127\.0\.0\.1:\d+/tiny/gpt2"),
        ("missing", ModelRefused, "The hub knows no public repository tiny/gpt2"),
        ("private", ModelRefused, "The hub knows no public repository tiny/gpt2"),
        ("no revision", ModelRefused, f"tiny/gpt2 has no revision {COMMIT}"),
    ],
)
def test_a_hub_that_says_no(
    hub: type[Hub], settings: Settings, mood: str, error: type[Exception], sentence: str
) -> None:
    hub.mood = mood
    with pytest.raises(error, match=sentence):
        repository.folder(remote(), settings)


def test_nobody_at_the_hubs_address(hub: type[Hub], settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, but nobody listens
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(HubUnreachable) as caught:
            repository.folder(remote(), settings)
    assert str(caught.value) == (
        "GPT-2 is not on this machine (548 MB) and 127.0.0.1 cannot be reached. "
        "Connect to the internet and try again, or choose tiny-text, which ships with the app."
    )


@pytest.mark.parametrize("how", ["setting", "environment"])
def test_offline_asks_nobody(hub: type[Hub], settings: Settings, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    if how == "setting":
        settings = replace(settings, offline=True)
    else:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(HubUnreachable, match=r"not on this machine \(548 MB\) and downloads are switched off"):
        repository.folder(remote(), settings)
    assert hub.asked == []


def test_a_cached_model_needs_no_network(hub: type[Hub], settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = repository.folder(remote(), settings)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    assert repository.folder(remote(), replace(settings, offline=True)) == folder


def test_a_disk_that_is_too_small(hub: type[Hub], settings: Settings) -> None:
    with pytest.raises(ModelRefused, match=r"GPT-2 needs 1100000000\.0 GB of disk and .* has .* left"):
        repository.folder(replace(remote(), download_bytes=10**18), settings)
    assert hub.asked == []


@pytest.fixture
def only_pickle(hub: type[Hub], files: Path, tmp_path: Path) -> type[Hub]:
    folder = tmp_path / "pickle"
    folder.mkdir()
    for name in ("config.json", "pytorch_model.bin", "tokenizer.json"):
        (folder / name).write_bytes((files / name).read_bytes())
    (folder / "training_args.bin").write_bytes(b"another pickle")
    (folder / "modeling_evil.py").write_text("boom")
    hub.folder = folder
    return hub


def test_a_repository_without_safetensors(only_pickle: type[Hub], settings: Settings) -> None:
    with pytest.raises(ModelRefused, match="has no safetensors weights"):
        repository.folder(remote(), settings)
    assert not [path for path in only_pickle.asked if path.endswith(".bin")]


def test_the_listed_exception_is_fetched_with_its_one_pickle(only_pickle: type[Hub], settings: Settings) -> None:
    ((only_pickle.repo, only_pickle.commit), name), *others = repository.PICKLED.items()
    assert not others
    row = remote(source=only_pickle.repo, revision=only_pickle.commit)
    folder = repository.folder(row, settings)
    assert {path.name for path in folder.iterdir()} == {"config.json", "tokenizer.json", name}
    assert repository.present(row, settings)
    (folder / name).unlink()
    assert not repository.present(row, settings)


def test_the_listed_repository_at_another_revision_is_refused(only_pickle: type[Hub], settings: Settings) -> None:
    only_pickle.repo = next(iter(repository.PICKLED))[0]
    with pytest.raises(ModelRefused, match="has no safetensors weights"):
        repository.folder(remote(source=only_pickle.repo), settings)
    assert not [path for path in only_pickle.asked if path.endswith(".bin")]


@pytest.mark.parametrize(
    "source",
    [
        "../../etc",
        "/etc/passwd",
        "C:\\x",
        "\\\\host\\share",
        "https://evil.example/x",
        "a/b/c",
        "a",
        "a/..",
        "a/b\n",
        "./b",
        "",
    ],
)
def test_strange_repositories_are_refused(hub: type[Hub], settings: Settings, source: str) -> None:
    with pytest.raises(ModelRefused, match="not the name of a folder or repository"):
        repository.folder(remote(source=source), settings)
    assert hub.asked == []


@pytest.mark.parametrize("changes", [{"revision": "../main"}, {"revision": ""}, {"files": ("pytorch_model.bin",)}])
def test_strange_rows_are_refused(settings: Settings, changes: dict[str, object]) -> None:
    with pytest.raises(ModelRefused, match="catalog"):
        repository.folder(remote(**changes), settings)


def test_a_bundled_folder(settings: Settings) -> None:
    row = tiny_models.build("gpt2", settings.models / "mine")
    assert repository.folder(row, settings) == settings.models / "mine"
    assert repository.present(row, settings)
    assert repository.size(settings.models / "mine") > 10_000
    (settings.models / "mine" / "model.safetensors").unlink()
    assert not repository.present(row, settings)
    with pytest.raises(ModelRefused, match="should ship with the app"):
        repository.folder(row, settings)


@pytest.mark.parametrize("source", ["..", "../other", "a/b", "/etc", ""])
def test_a_bundled_folder_lies_in_the_models_folder(settings: Settings, source: str) -> None:
    with pytest.raises(ModelRefused, match="not the name of a folder"):
        repository.folder(tiny_models.row(Path("x"), source=source), settings)


def test_a_shard_that_is_missing_is_noticed(settings: Settings) -> None:
    row = tiny_models.build("gpt2", settings.models / "shards")
    index = settings.models / "shards" / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "model-00002-of-00002.safetensors"}}))
    assert not repository.present(row, settings)


# Large files: bytes, speed and time left; broken lines, stops, and what is not what it should be


def weights(settings: Settings) -> tuple[Path, Path]:
    """Where gpt2's weights are kept in the cache, and where they wait while they are not whole."""
    (blob,) = {
        path.with_suffix("") for path in (repository.cache() / "models--tiny--gpt2" / "blobs").glob("?" * 64 + "*")
    }
    return blob, blob.with_name(f"{blob.name}.part")


def test_progress_has_bytes_speed_and_time_left(hub: type[Hub], settings: Settings, files: Path) -> None:
    hub.pace = 0.15
    seen: list[Progress] = []
    repository.folder(remote(), settings, seen.append)
    told = re.compile(r"downloading GPT-2: \d+ MB of \d+ MB, \d+\.\d MB/s, about \d+ s left")
    assert any(told.fullmatch(progress.note) for progress in seen)
    whole = repository.size(files) - sum((files / name).stat().st_size for name in UNWANTED)
    assert seen[-1].done == seen[-1].total == whole
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)


def test_a_tally_in_words() -> None:
    clock = Clock()
    tally = Tally(clock)
    tally.total = 548_000_000
    assert tally.words() == "0 MB of 548 MB"
    clock.now += 5
    tally.add(50_000_000)
    assert tally.words() == "50 MB of 548 MB, 10.0 MB/s, about 50 s left"
    clock.now += 10
    tally.add(20_000_000)
    assert tally.words() == "70 MB of 548 MB, 2.0 MB/s, about 4 min left", "of the last ten seconds"
    clock.now += 10
    assert tally.words() == "70 MB of 548 MB", "nothing comes"
    tally.add(478_000_000)
    assert tally.words() == "548 MB of 548 MB"
    tally.stop()
    with pytest.raises(transfer.Stopped):
        tally.add(1)
    with pytest.raises(transfer.Stopped):
        tally.pause(60)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between two attempts."""
    monkeypatch.setattr(Tally, "pause", lambda self, seconds: None)


@pytest.mark.usefixtures("patient")
def test_a_lost_connection_is_taken_up_where_it_broke(hub: type[Hub], settings: Settings, files: Path) -> None:
    hub.cuts = [50_000, 20_000, 0, 30_000]
    seen: list[Progress] = []
    folder = repository.folder(remote(), settings, seen.append)
    assert hub.ranges == ["", "bytes=50000-", "bytes=70000-", "bytes=70000-", "bytes=100000-"]
    size = (files / "model.safetensors").stat().st_size
    assert hub.sent == size, "not a byte came twice"
    assert (folder / "model.safetensors").read_bytes() == (files / "model.safetensors").read_bytes()
    assert seen[-1].done == seen[-1].total == repository.size(folder)


@pytest.mark.usefixtures("patient")
def test_a_connection_that_keeps_breaking_is_given_up_and_what_came_is_kept(
    hub: type[Hub], settings: Settings, files: Path
) -> None:
    hub.cuts = [50_000, *[0] * 10]
    with pytest.raises(HubUnreachable, match=r"127\.0\.0\.1 did not deliver it \(\w+\); what came so far is kept"):
        repository.folder(remote(), settings)
    assert len(hub.ranges) == transfer.RETRIES + 2
    assert not repository.present(remote(), settings)
    assert weights(settings)[1].stat().st_size == 50_000
    hub.cuts.clear()
    hub.ranges.clear()
    repository.folder(remote(), settings)
    assert hub.ranges == ["bytes=50000-"]
    assert not weights(settings)[1].exists()


def test_a_stop_ends_the_download_at_once_and_the_next_one_goes_on(hub: type[Hub], settings: Settings) -> None:
    hub.pace = 0.2

    def report(progress: Progress) -> None:
        if progress.done > 40_000:
            raise ModelError("Loading was stopped.")

    began = time.monotonic()
    with pytest.raises(ModelError, match="Loading was stopped"):
        repository.folder(remote(), settings, report)
    assert time.monotonic() - began < 8
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("download")]
    assert not repository.present(remote(), settings)
    held = weights(settings)[1].stat().st_size
    assert held > 0
    hub.pace = 0.0
    hub.ranges.clear()
    repository.folder(remote(), settings)
    assert hub.ranges == [f"bytes={held}-"]


def test_a_server_that_sends_all_again_is_written_from_the_beginning(
    hub: type[Hub], settings: Settings, files: Path
) -> None:
    hub.cuts, hub.takes_ranges = [50_000], False
    seen: list[Progress] = []
    folder = repository.folder(remote(), settings, seen.append)
    assert (folder / "model.safetensors").read_bytes() == (files / "model.safetensors").read_bytes()
    assert seen[-1].done == repository.size(folder)


def test_what_is_not_what_the_hub_listed_is_thrown_away(hub: type[Hub], settings: Settings) -> None:
    hub.twisted = True
    with pytest.raises(HubUnreachable, match="did not deliver it"):
        repository.folder(remote(), settings)
    assert not repository.present(remote(), settings)
    assert not list((repository.cache() / "models--tiny--gpt2" / "blobs").glob("*.part"))
    hub.twisted = False
    assert repository.folder(remote(), settings)


def test_a_part_that_is_too_long_is_begun_anew(hub: type[Hub], settings: Settings) -> None:
    hub.cuts = [50_000]
    repository.folder(remote(), settings)
    blob, part = weights(settings)
    part.write_bytes(blob.read_bytes() + b"more")
    blob.unlink()
    hub.ranges.clear()
    repository.folder(remote(), settings)
    assert hub.ranges == [""]


def test_a_disk_that_fills_up(hub: type[Hub], settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(transfer, "_stream", full)
    with pytest.raises(ModelRefused, match=r"The disk filled up while GPT-2 was downloading\. Free some space"):
        repository.folder(remote(), settings)


def test_files_that_are_gated_though_they_are_listed(hub: type[Hub], settings: Settings) -> None:
    hub.mood = "gated files"
    with pytest.raises(ModelRefused, match=r"is gated: accept its terms at .*, then set HF_TOKEN to a token"):
        repository.folder(remote(), settings)


def test_what_is_here_already_is_not_asked_of_the_disk_again(
    hub: type[Hub], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.cuts = [50_000, *[0] * 10]
    monkeypatch.setattr(transfer, "RETRIES", 0)
    with pytest.raises(HubUnreachable):
        repository.folder(remote(), settings)
    hub.cuts.clear()
    room = type("Usage", (), {"free": 10_000_000})
    monkeypatch.setattr(download.shutil, "disk_usage", lambda path: room)
    with pytest.raises(ModelRefused, match="needs 603 MB of disk"):
        repository.folder(remote(), settings)
    assert repository.folder(remote(download_bytes=9_120_000), settings), "10.03 MB, of which 0.05 are here"


# Whole models, in the layout of their repositories, from the hub to an answer


UNWANTED = ("pytorch_model.bin", "modeling_evil.py", "onnx.onnx")


def answered(row: ModelSpec, settings: Settings, **parameters: object) -> Finished:
    model = open_model(row, settings)
    asked = Request(messages=(Message("user", "the fox"),), parameters=parameters, seed=1, chat=False)  # type: ignore[arg-type]
    *_, last = model.generate([asked], lambda index: False)
    model.close()
    assert isinstance(last, Finished), last
    return last


def served(hub: type[Hub], row: ModelSpec, folder: Path) -> ModelSpec:
    """The catalog's own row, its repository served from a folder; sizes are tiny."""
    hub.folder, hub.repo, hub.commit = folder, row.source, row.revision
    return replace(row, download_bytes=1_000_000, memory_bytes=10_000_000)


def fetched(hub: type[Hub]) -> set[str]:
    return {path.split("/", 5)[5] for path in hub.asked if "/resolve/" in path}


def test_gpt2_from_its_repository(hub: type[Hub], settings: Settings, tmp_path: Path) -> None:
    tiny_models.build("gpt2", tmp_path / "gpt2")
    for name in ("64.tflite", "flax_model.msgpack", "pytorch_model.bin", "rust_model.ot", "tf_model.h5", "README.md"):
        (tmp_path / "gpt2" / name).write_bytes(b"0" * 1000)
    (tmp_path / "gpt2" / "onnx").mkdir()
    (tmp_path / "gpt2" / "onnx" / "decoder_model.onnx").write_bytes(b"0" * 1000)
    row = served(hub, catalog.spec("gpt2"), tmp_path / "gpt2")
    assert answered(row, settings, max_new_tokens=4).output.output_tokens == 4
    assert fetched(hub) >= {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json"}
    assert not {name for name in fetched(hub) if name.endswith((".h5", ".ot", ".bin", ".msgpack", ".tflite", ".onnx"))}


def test_codegen_from_its_repository_that_has_only_a_pickle(hub: type[Hub], settings: Settings, tmp_path: Path) -> None:
    import torch
    import transformers

    folder = tmp_path / "codegen"
    tiny_models.build("codegen", folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    torch.save({name: tensor.half() for name, tensor in model.state_dict().items()}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    row = served(hub, catalog.spec("codegen-350m-mono"), folder)
    hub.cuts = [50_000]
    assert not repository.present(row, settings)
    assert answered(row, settings, max_new_tokens=4).output.output_tokens == 4
    assert hub.ranges == ["", "bytes=50000-"]
    assert repository.present(row, settings)


@pytest.fixture
def stable_diffusion(hub: type[Hub], tmp_path: Path) -> ModelSpec:
    """Its repository of 2022: whole and half precision, pickles of both, and four single-file copies of everything."""
    import safetensors.torch

    folder = tmp_path / "sd"
    tiny_models.pipeline(folder, checker=True, zero_snr=False)
    for file in list(folder.rglob("*.safetensors")):
        halves = {name: tensor.half() for name, tensor in safetensors.torch.load_file(file).items()}
        safetensors.torch.save_file(halves, file.with_name(f"{file.stem}.fp16.safetensors"), {"format": "pt"})
        for ending in (".bin", ".fp16.bin"):
            file.with_name(f"{file.stem.replace('model', 'pytorch_model')}{ending}").write_bytes(b"a pickle")
    shutil.copy(
        folder / "unet" / "diffusion_pytorch_model.safetensors",
        folder / "unet" / "diffusion_pytorch_model.non_ema.safetensors",
    )
    for name in (
        "v1-5-pruned.ckpt",
        "v1-5-pruned-emaonly.ckpt",
        "v1-5-pruned.safetensors",
        "v1-5-pruned-emaonly.safetensors",
        "v1-inference.yaml",
        "README.md",
    ):
        (folder / name).write_bytes(b"0" * 1000)
    row = served(hub, catalog.spec("stable-diffusion-v1-5"), folder)
    return replace(row, parameters=tiny_models.image_row(folder).parameters)


WHOLE_PIPELINE = {
    "model_index.json",
    "feature_extractor/preprocessor_config.json",
    "safety_checker/config.json",
    "safety_checker/model.fp16.safetensors",
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model.fp16.safetensors",
    "tokenizer/tokenizer.json",
    "tokenizer/tokenizer_config.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.fp16.safetensors",
    "vae/config.json",
    "vae/diffusion_pytorch_model.fp16.safetensors",
}


def test_stable_diffusion_from_its_repository(hub: type[Hub], settings: Settings, stable_diffusion: ModelSpec) -> None:
    hub.cuts = [30_000]
    assert answered(stable_diffusion, settings, steps=2, size="32x64").output.images
    assert fetched(hub) == WHOLE_PIPELINE
    asked = len(hub.asked)
    assert repository.present(stable_diffusion, settings)
    assert answered(stable_diffusion, settings, steps=1, size="32x64").output.images
    assert len(hub.asked) == asked


@pytest.mark.parametrize("with_list", [True, False])
def test_a_pipeline_that_lacks_a_file_is_not_there(
    hub: type[Hub], settings: Settings, stable_diffusion: ModelSpec, with_list: bool
) -> None:
    """With the hub's list of files, and without it, as an older client leaves a cache."""
    folder = repository.folder(stable_diffusion, settings)
    if not with_list:
        shutil.rmtree(folder.parent.parent / "trees")
    spare = set() if with_list else {"tokenizer/tokenizer_config.json"}
    for name in sorted(WHOLE_PIPELINE - spare):
        (folder / name).rename(folder / "away")
        assert not repository.present(stable_diffusion, settings), name
        (folder / "away").rename(folder / name)
    assert repository.present(stable_diffusion, settings)


def test_a_pipeline_of_half_floats_only_is_not_taken_for_a_whole_one(
    hub: type[Hub], settings: Settings, stable_diffusion: ModelSpec
) -> None:
    repository.folder(stable_diffusion, settings)
    assert not repository.present(replace(stable_diffusion, files=()), settings)


def test_a_distilled_model_is_fetched_in_whole_precision(
    hub: type[Hub], settings: Settings, stable_diffusion: ModelSpec
) -> None:
    lcm = catalog.spec("lcm-dreamshaper-v7")
    hub.repo, hub.commit = lcm.source, lcm.revision
    folder = repository.folder(replace(lcm, download_bytes=1_000_000), settings)
    assert fetched(hub) == {name.replace(".fp16", "") for name in WHOLE_PIPELINE}
    assert repository.named_parts(folder)["unet"] == "UNet2DConditionModel"


def test_a_bundled_pipeline(settings: Settings) -> None:
    row = tiny_models.pipeline(settings.models / "drawn")
    assert repository.folder(row, settings) == settings.models / "drawn"
    (settings.models / "drawn" / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(ModelRefused, match="should ship with the app"):
        repository.folder(row, settings)


@pytest.mark.timeout(120)
def test_a_download_in_the_worker_can_be_stopped_and_goes_on_in_the_same_process(
    hub: type[Hub], settings: Settings, tmp_path: Path
) -> None:
    tiny_models.build("gpt2", tmp_path / "slow")
    row = served(hub, catalog.spec("gpt2"), tmp_path / "slow")
    hub.pace = 0.3
    seen: list[Progress] = []
    worker = Worker(replace(settings, threads=1))
    try:
        with pytest.raises(ModelError, match="Loading was stopped"):
            worker.open(row, seen.append, lambda: any(progress.done > 40_000 for progress in seen))
        pid, held = worker.pid, hub.sent
        hub.pace = 0.0
        worker.open(row, seen.append)
        assert worker.pid == pid
        assert hub.ranges[0] == ""
        assert 0 < int(hub.ranges[1].removeprefix("bytes=").removesuffix("-")) <= held
    finally:
        worker.close()
    assert any("MB/s" in progress.note for progress in seen)
