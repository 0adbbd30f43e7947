"""People of motion data who never train unless somebody says so. Nothing heavy is imported."""

VALIDATION_SUBJECTS = {
    "h36m": ("S8",),
    "mocap": ("cmu/06", "hdm05/dg", "uiprmd/s07"),
    "mannequin": (),
}
TEST_SUBJECTS = {
    "h36m": ("S9", "S11"),
    "mocap": ("cmu/07", "hdm05/mm", "uiprmd/s08"),
    "mannequin": (),
}
