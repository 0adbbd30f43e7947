"""Score what models found: `python eval.py SUBCOMMAND [options]`."""

import sys

import options
from stacked_hourglass.evaluation_options import EvalLspOptions, EvalMpiiOptions
from utils.command_line import run_script


def mpii_pckh(chosen: EvalMpiiOptions) -> int | None:
    from stacked_hourglass.evaluation import evaluate_mpii_pckh

    return evaluate_mpii_pckh(chosen)


def lsp_pck(chosen: EvalLspOptions) -> int | None:
    from stacked_hourglass.evaluation import evaluate_lsp_pck

    return evaluate_lsp_pck(chosen)


FUNCTIONS = {
    "mpii_PCKh": mpii_pckh,
    "lsp_PCK": lsp_pck,
}

if __name__ == "__main__":
    sys.exit(run_script("eval.py", "Score poses.", options.EVAL, FUNCTIONS, sys.argv[1:]))
