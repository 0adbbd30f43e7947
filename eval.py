"""Score what models found: `python eval.py SUBCOMMAND [options]`."""

import sys

import options
from stacked_hourglass.evaluation_options import EvalLspOptions, EvalMpiiOptions
from twod_threed.evaluation_options import EvalH36mOptions, EvalMocapOptions
from twod_threed.temporal.evaluation_options import TemporalEvalOptions
from utils.command_line import run_script


def mpii_pckh(chosen: EvalMpiiOptions) -> int | None:
    from stacked_hourglass.evaluation import evaluate_mpii_pckh

    return evaluate_mpii_pckh(chosen)


def lsp_pck(chosen: EvalLspOptions) -> int | None:
    from stacked_hourglass.evaluation import evaluate_lsp_pck

    return evaluate_lsp_pck(chosen)


def h36m_mpjpe(chosen: EvalH36mOptions) -> int | None:
    from twod_threed.evaluation import evaluate_h36m_mpjpe

    return evaluate_h36m_mpjpe(chosen)


def mocap_mpjpe(chosen: EvalMocapOptions) -> int | None:
    from twod_threed.evaluation import evaluate_mocap_mpjpe

    return evaluate_mocap_mpjpe(chosen)


def temporal(chosen: TemporalEvalOptions) -> int | None:
    from twod_threed.temporal.evaluation import evaluate

    return evaluate(chosen)


FUNCTIONS = {
    "mpii_PCKh": mpii_pckh,
    "lsp_PCK": lsp_pck,
    "h36m_mpjpe": h36m_mpjpe,
    "mocap_mpjpe": mocap_mpjpe,
    "temporal_h36m": temporal,
    "temporal_humaneva": temporal,
    "temporal_mocap": temporal,
    "temporal_mannequin": temporal,
}

if __name__ == "__main__":
    sys.exit(run_script("eval.py", "Score poses.", options.EVAL, FUNCTIONS, sys.argv[1:]))
