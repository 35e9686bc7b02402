"""Which devices a search uses: fake listings, no GPU needed."""

from __future__ import annotations

import pytest

from automl.errors import ConfigError
from automl.executors.devices import Seat, seats_on, visible_ids

LISTING = """\
GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-aaaa)
GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-bbbb)
  MIG 1g.10gb     Device  0: (UUID: MIG-1111)
  MIG 1g.10gb     Device  1: (UUID: MIG-2222)
"""


def seats(choice: str, workers: int | None = None, gpus: int = 0, cores: int = 4, **environ: str) -> tuple[Seat, ...]:
    names = [f"GPU-{number}" for number in range(gpus)]
    return seats_on(choice, workers, environ=environ, list_gpus=lambda: names, cores=cores)


def test_cores_are_shared_out_as_threads() -> None:
    assert seats("auto", cores=2) == (Seat("cpu", 1), Seat("cpu", 1))
    assert seats("cpu", workers=2, cores=8) == (Seat("cpu", 4),) * 2
    assert seats("cpu", cores=64) == (Seat("cpu", 8),) * 8


def test_more_workers_than_cores_have_a_thread_each() -> None:
    assert seats("cpu", workers=3, cores=2) == (Seat("cpu", 1),) * 3


def test_auto_takes_every_gpu_with_one_worker_each() -> None:
    assert [seat.device for seat in seats("auto", gpus=2)] == ["GPU-0", "GPU-1"]


def test_a_preset_pool_is_never_widened() -> None:
    assert [seat.device for seat in seats("auto", gpus=8, CUDA_VISIBLE_DEVICES="3,5")] == ["3", "5"]
    assert [seat.device for seat in seats("auto", gpus=8, CUDA_VISIBLE_DEVICES="")] == ["cpu"] * 4
    assert [seat.device for seat in seats("auto", gpus=8, CUDA_VISIBLE_DEVICES="2,-1,4")] == ["2"]


def test_numbers_count_within_the_pool() -> None:
    assert [seat.device for seat in seats("1", gpus=8, CUDA_VISIBLE_DEVICES="3,5")] == ["5"]


def test_cpu_hides_the_gpus_from_the_worker() -> None:
    assert seats("cpu", gpus=2)[0].environment == {"CUDA_VISIBLE_DEVICES": ""}


@pytest.mark.parametrize("choice", ["2", "gpu", "0,x", "-1", ""])
def test_a_device_that_is_not_there_is_refused(choice: str) -> None:
    with pytest.raises(ConfigError, match="--devices must be auto, cpu or numbers of visible GPUs"):
        seats(choice, gpus=2)


def test_mig_instances_stand_in_for_their_gpu() -> None:
    assert visible_ids(LISTING) == ["GPU-aaaa", "MIG-1111", "MIG-2222"]
