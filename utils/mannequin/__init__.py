"""The built-in data set: rendered people with exact 2D and 3D joints."""

from utils.mannequin.samples import (
    MannequinPoses,
    render_clip,
    render_mpii,
    render_sample,
    sample_pose_sequence,
    sample_poses,
    sample_scene,
)
from utils.mannequin.scene import (
    MannequinOptions,
    MannequinPerson,
    MannequinSample,
    Scene,
    render_scene,
)

__all__ = [
    "MannequinOptions",
    "MannequinPerson",
    "MannequinPoses",
    "MannequinSample",
    "Scene",
    "render_clip",
    "render_mpii",
    "render_sample",
    "render_scene",
    "sample_pose_sequence",
    "sample_poses",
    "sample_scene",
]
