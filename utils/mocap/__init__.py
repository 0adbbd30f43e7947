"""Motion capture: BVH and ASF/AMC files, and packed joints, as Human3.6M poses in one store."""

from utils.mocap.store import (
    VALIDITY,
    MotionStore,
    join_stores,
    make_store,
    of_people,
    read_store,
    read_stores,
    resample,
    write_store,
)

__all__ = [
    "VALIDITY",
    "MotionStore",
    "join_stores",
    "make_store",
    "of_people",
    "read_store",
    "read_stores",
    "resample",
    "write_store",
]
