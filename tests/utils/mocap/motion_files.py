"""Tiny motion files, real ones, and slow second implementations to compare with."""

import tarfile
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

BVH = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Chest
  {
    OFFSET 0 10 0
    CHANNELS 3 Yrotation Xrotation Zrotation
    End Site
    {
      OFFSET 0 5 0
    }
  }
}
MOTION
Frames: 2
Frame Time: .0083333
1 2 3 0 0 0 0 0 0
1 2 3 90 0 0 0 90 0
"""

ASF = """:version 1.10
:units
  mass 1.0
  length 0.45
  angle deg
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
  begin
    id 1
    name back
    direction 0 1 0
    length 0.9
    axis 0 0 0 XYZ
    dof rx ry rz
    limits (-20.0 45.0)
           (-30.0 30.0)
           (-30.0 30.0)
  end
  begin
    id 2
    name arm
    direction 1 0 0
    length 0.45
    axis 0 0 90 XYZ
    dof rz
  end
  begin
    id 3
    name hand
    direction 1 0 0
    length 0.45
    axis 0 0 0 XYZ
  end
:hierarchy
  begin
    root back
    back arm
    arm hand
  end
"""

AMC = """#!OML:ASF
:FULLY-SPECIFIED
:DEGREES
1
root 0 0 0 0 0 0
back 0 0 0
arm 0
2
root 0.45 0 0 0 0 0
back 0 0 90
arm 90
"""


def first_files(archive: Path, folder: Path, *endings: str) -> list[Path]:
    """Unpack the first file with each of the endings, reading no further than needed."""
    found: dict[str, Path] = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            ending = Path(member.name).suffix
            content = tar.extractfile(member)
            if content is not None and ending in endings and ending not in found:
                found[ending] = folder / Path(member.name).name
                found[ending].write_bytes(content.read())
            if len(found) == len(endings):
                break
    return [found[ending] for ending in endings]


def slow_bvh(path: Path, frame: int) -> dict[str, np.ndarray]:
    """Places of the joints in one frame, joint by joint as the file is read."""
    lines = path.read_text().splitlines()
    start = lines.index("MOTION")
    values = [float(word) for word in lines[start + 3 + frame].split()]
    stack: list[tuple[np.ndarray, Rotation]] = []
    places: dict[str, np.ndarray] = {}
    name, offset = "", np.zeros(3)
    for words in (line.split() for line in lines[1:start]):
        match words:
            case ["ROOT" | "JOINT", name]:
                pass
            case ["End", "Site"]:
                name = f"{name}_end"
            case ["OFFSET", *numbers]:
                offset = np.array(numbers, float)
                place, turned = stack[-1] if stack else (np.zeros(3), Rotation.identity())
                stack.append((place + turned.apply(offset), turned))
                places[name] = stack[-1][0]
            case ["CHANNELS", _, *channels]:
                place, turned = stack.pop()
                taken, values = values[: len(channels)], values[len(channels) :]
                if len(channels) == 6:
                    place, taken, channels = np.array(taken[:3]), taken[3:], channels[3:]
                order = "".join(channel[0] for channel in channels)
                stack.append((place, turned * Rotation.from_euler(order, taken, degrees=True)))
                places[name] = place
            case ["}"]:
                stack.pop()
    return places


def slow_acclaim(asf: Path, amc: Path, frame: int) -> dict[str, np.ndarray]:
    """Ends of the bones in one frame, mm."""
    scale = 25.4 / 0.45
    bones: dict[str, dict[str, list[str]]] = {}
    parents: dict[str, str] = {}
    text = asf.read_text()
    for block in text.split(":bonedata")[1].split(":hierarchy")[0].split("begin")[1:]:
        words = {line.split()[0]: line.split()[1:] for line in block.splitlines() if line.split()}
        bones[words["name"][0]] = words
    for line in text.split(":hierarchy")[1].splitlines():
        parents |= {child: line.split()[0] for child in line.split()[1:]}
    lines = [line.split() for line in amc.read_text("latin-1").splitlines()]
    first = lines.index([str(frame + 1)])
    values = {words[0]: np.array(words[1:], float) for words in lines[first + 1 : first + 31]}
    root = values.pop("root")
    places = {"root": root[:3] * scale}
    turned = {"root": Rotation.from_euler("xyz", root[3:], degrees=True)}

    def place(name: str) -> None:
        if name in places:
            return
        place(parents[name])
        bone = bones[name]
        angles = dict(zip(bone.get("dof", []), values.get(name, []), strict=True))
        c = Rotation.from_euler("xyz", np.array(bone["axis"][:3], float), degrees=True)
        m = Rotation.from_euler(
            "xyz", [angles.get(dof, 0.0) for dof in ("rx", "ry", "rz")], degrees=True
        )
        turned[name] = turned[parents[name]] * c * m * c.inv()
        bone_vector = np.array(bone["direction"], float) * float(bone["length"][0]) * scale
        places[name] = places[parents[name]] + turned[name].apply(bone_vector)

    for name in bones:
        place(name)
    return places
