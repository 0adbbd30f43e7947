"""The stitched network: hourglass, soft-argmax and lifter as one network from picture to 3D."""
