"""One thread per process: two test processes of two threads each on two cores wait for each other, twenty times as long."""

import torch

torch.set_num_threads(1)
