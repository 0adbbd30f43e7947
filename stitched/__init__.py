"""Where stages are joined: pictures and videos in, poses out."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stitched.pipeline import PosePipeline

__all__ = ["PosePipeline"]


def __getattr__(name: str) -> Any:
    # Only when it is asked for: `import stitched.options` must not load torch.
    if name != "PosePipeline":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from stitched.pipeline import PosePipeline

    return PosePipeline
