"""How the threads of one process share the machine."""

import torch

from utils.threads import one_core_left


def test_a_core_is_left_to_others_and_given_back() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        with one_core_left():
            assert torch.get_num_threads() == 2
        assert torch.get_num_threads() == 3
        torch.set_num_threads(1)
        with one_core_left():
            assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
