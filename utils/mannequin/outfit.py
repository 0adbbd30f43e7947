"""What a mannequin wears: cut and colours of clothes, hair, hat, face; painted as textures."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np

from utils.mannequin.textures import cloth, near, skin

SIZE = 64
_HAIR = ((28, 22, 20), (60, 40, 26), (98, 66, 38), (176, 138, 84), (140, 62, 30), (165, 165, 165))
# Heights of a tube's rings: the trunk's from the hips (0) to the base of the neck (1), the head's
# from the chin to the top, a limb's about, by the length of its bone.
TORSO_LEVELS = np.array([-0.17, -0.11, 0.02, 0.2, 0.4, 0.6, 0.78, 0.92, 1.0, 1.06])
HEAD_LEVELS = np.array([0, 0.06, 0.17, 0.32, 0.46, 0.6, 0.74, 0.87, 0.96, 1.0])
_LIMB_LEVELS = np.array([-0.2, -0.14, 0, 0.2, 0.4, 0.6, 0.8, 1, 1.14, 1.2])


def _rows(levels: np.ndarray) -> np.ndarray:
    """Height (SIZE,) of each row of the texture of a tube with rings at `levels`."""
    return np.interp(np.linspace(0, len(levels) - 1, SIZE), np.arange(len(levels)), levels)


_LIMB_ROWS, _TORSO_ROWS, _HEAD_ROWS = _rows(_LIMB_LEVELS), _rows(TORSO_LEVELS), _rows(HEAD_LEVELS)
_AROUND = np.abs(np.linspace(-180, 180, SIZE))


@dataclass(frozen=True)
class Outfit:
    """Cut in bone lengths from the trunk (1 = elbow or knee, 2 = wrist or ankle), slack in mm.

    Cloths are (64, 64, 3) uint8 RGB. `painted` overrides the texture of named parts by one colour.
    """

    skin: np.ndarray
    hair: np.ndarray
    hair_style: str
    hat: np.ndarray | None
    top: np.ndarray
    bottom: np.ndarray
    shoes: np.ndarray
    socks: np.ndarray
    sleeve_length: float
    trouser_length: float
    sock_height: float
    skirt_length: float
    top_slack: float
    bottom_slack: float
    waistline: float
    neckline: float
    bare_chest: bool
    gloves: bool
    number: str
    beard: float
    painted: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)

    @property
    def head_extra(self) -> str:
        """The part that stands off the head: "peak", "long_hair", "pony_tail", "bun" or ""."""
        if self.hat is not None and self.hair_style != "long_hair":
            return "peak"
        return self.hair_style if self.hair_style in ("long_hair", "pony_tail", "bun") else ""

    def sleeve(self, along: np.ndarray) -> np.ndarray:
        """Cloth over the arm at `along` bone lengths, mm."""
        worn = 0.0 if self.bare_chest else self.top_slack
        return worn * (along <= self.sleeve_length) * (1 + 0.4 * along * (self.sleeve_length < 1))

    def trouser(self, along: np.ndarray) -> np.ndarray:
        """Cloth over the leg at `along` bone lengths, mm; shorts widen towards the hem."""
        wide = 1 + 1.3 * along * (self.trouser_length < 1.2)
        return self.bottom_slack * (along <= self.trouser_length) * wide

    def torso_slack(self, level: np.ndarray) -> np.ndarray:
        """Cloth over the trunk at `level` (0 hips, 1 base of the neck), mm."""
        top = 0.0 if self.bare_chest else self.top_slack
        return np.where(level < self.waistline, self.bottom_slack * 0.6, top) * (level < 0.95)

    def hair_volume(self, levels: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """How far hair or hat stands off the head (rings, columns), as a share of its radius."""
        around = np.abs(np.degrees(columns))
        if self.hat is not None:
            return np.where(levels[:, None] > 0.66, 0.12, 0.0) * np.ones_like(around)
        thick = {"bald": 0.0, "short": 0.06, "afro": 0.38}.get(self.hair_style, 0.1)
        return thick * _hairy(levels[:, None], around[None], self.hair_style)

    def texture(self, part: str) -> np.ndarray:
        """Texture (64, 64, 3) uint8 RGB of a body part, rows along the tube."""
        if part in self.painted:
            return np.full((SIZE, SIZE, 3), self.painted[part], np.uint8)
        side, _, limb = part.partition("_")
        if side not in ("left", "right"):
            limb = part
        return np.ascontiguousarray(_PAINTERS[limb](self))


def _plain(rgb: np.ndarray) -> np.ndarray:
    return np.broadcast_to(rgb.astype(np.uint8), (SIZE, SIZE, 3))


def _choose(mask: np.ndarray, yes: np.ndarray, no: np.ndarray) -> np.ndarray:
    """Rows or pixels of `yes` where mask, else of `no`."""
    return np.where(mask.reshape(SIZE, -1, 1), yes, no)


def _upper_arm(o: Outfit) -> np.ndarray:
    return _sleeved(o, _LIMB_ROWS)


def _forearm(o: Outfit) -> np.ndarray:
    return _sleeved(o, _LIMB_ROWS + 1)


def _sleeved(o: Outfit, rows: np.ndarray) -> np.ndarray:
    if o.bare_chest:
        return _plain(o.skin)
    return _choose(rows <= o.sleeve_length, o.top, _plain(o.skin))


def _collar(o: Outfit) -> np.ndarray:
    return _plain(o.skin) if o.bare_chest or o.sleeve_length < 0 else o.top


def _hand(o: Outfit) -> np.ndarray:
    return o.shoes if o.gloves else _plain(o.skin)


def _thigh(o: Outfit) -> np.ndarray:
    return _choose(o.trouser_length >= _LIMB_ROWS, o.bottom, _plain(o.skin))


def _shin(o: Outfit) -> np.ndarray:
    bare = _choose(1 - o.sock_height <= _LIMB_ROWS, o.socks, _plain(o.skin))
    return _choose(o.trouser_length >= _LIMB_ROWS + 1, o.bottom, bare)


def _foot(o: Outfit) -> np.ndarray:
    """Shoe with a paler sole below (u far from the front, which is the instep)."""
    sole = np.clip(o.shoes.astype(float) * 0.4 + 140, 0, 255).astype(np.uint8)
    return np.where((_AROUND > 120)[None, :, None], sole, o.shoes)


def _torso(o: Outfit) -> np.ndarray:
    """Trousers, a belt line, shirt with neckline, and a number on chest and back."""
    shirt = _plain(o.skin) if o.bare_chest else o.top
    image = np.array(shirt)[::-1, ::-1].copy()
    if o.number and not o.bare_chest:
        ink = (20, 20, 25) if image.mean() > 120 else (240, 240, 240)
        for x, size in ((SIZE // 2 - 5 * len(o.number), 0.55), (-5 * len(o.number), 0.7)):
            for shift in (0, SIZE):
                cv2.putText(image, o.number, (x + shift, 27), 0, size, ink, 2, cv2.LINE_AA)
    image = image[::-1, ::-1]
    below = o.waistline > _TORSO_ROWS
    image = _choose(below, o.bottom, image)
    open_neck = _TORSO_ROWS[:, None] > 1 - o.neckline * np.exp(-((_AROUND[None] / 45) ** 2))
    return _choose(open_neck, _plain(o.skin), image)


def _skirt(o: Outfit) -> np.ndarray:
    return o.bottom


def _neck(o: Outfit) -> np.ndarray:
    return _plain(o.skin)


def _head_extra(o: Outfit) -> np.ndarray:
    return o.hat if o.hat is not None and o.head_extra == "peak" else _plain(o.hair)


def _hairy(level: np.ndarray, around: np.ndarray, style: str) -> np.ndarray:
    """Where hair grows: above a line that sinks from the forehead over the ears to the nape."""
    if style == "bald":
        return np.zeros(np.broadcast_shapes(level.shape, around.shape), bool)
    line = np.interp(around, [0, 45, 70, 85, 110, 180], [0.83, 0.80, 0.62, 0.42, 0.3, 0.14])
    return level > line


def _head(o: Outfit) -> np.ndarray:
    """Face, beard, hair and hat. Painted upright, as seen from the front, then turned."""
    tone = o.skin
    face = np.array(_plain(tone))
    beard = (_HEAD_ROWS[:, None] < 0.36) & (_AROUND[None] < 95) & (_HEAD_ROWS[:, None] > 0)
    face = _choose(beard, (tone * (1 - o.beard) + o.hair * o.beard), face).astype(np.uint8)
    face = face[::-1, ::-1].copy()

    def row(level: float) -> int:
        return SIZE - 1 - int(np.interp(level, _HEAD_ROWS, np.arange(SIZE)))

    middle = SIZE // 2
    dark = (tone * 0.35).tolist()
    lips = (tone * 0.6 + np.array([70.0, 10, 15])).clip(0, 255).tolist()
    for x in (middle - 5, middle + 5):
        cv2.ellipse(face, (x, row(0.52)), (2, 1), 0, 0, 360, (235, 235, 235), -1)
        cv2.circle(face, (x, row(0.52)), 1, (30, 25, 25), -1)
        cv2.line(face, (x - 3, row(0.60)), (x + 2, row(0.60)), (o.hair * 0.7).tolist(), 1)
    cv2.line(face, (middle - 1, row(0.33)), (middle + 1, row(0.33)), dark, 1)
    cv2.line(face, (middle - 3, row(0.20)), (middle + 3, row(0.20)), lips, 2)
    face = face[::-1, ::-1]
    hair = _hairy(_HEAD_ROWS[:, None], _AROUND[None], o.hair_style)
    face = _choose(hair, _plain(o.hair), face)
    return face if o.hat is None else _choose(_HEAD_ROWS > 0.68, o.hat, face)


_PAINTERS = {
    "upper_arm": _upper_arm,
    "forearm": _forearm,
    "collar": _collar,
    "hand": _hand,
    "thigh": _thigh,
    "shin": _shin,
    "foot": _foot,
    "torso": _torso,
    "skirt": _skirt,
    "neck": _neck,
    "head": _head,
    "head_extra": _head_extra,
}


def sample_outfit(rng: np.random.Generator, femininity: float) -> Outfit:
    """Draw clothes: sports kit, everyday, swimwear and dresses, for any build."""
    female = femininity > 0.5
    top, tone = cloth(rng), skin(rng)
    sporty = rng.random() < 0.55
    skirt = female and rng.random() < 0.2
    bottom = top if rng.random() < (0.5 if skirt else 0.15) else cloth(rng)
    short = rng.random() < (0.7 if sporty else 0.25) or skirt
    styles = (
        ("pony_tail", "long_hair", "bun", "short") if female else ("short", "short", "bald", "afro")
    )
    return Outfit(
        skin=tone,
        hair=near(rng, _HAIR[rng.integers(len(_HAIR))], 12),
        hair_style=styles[rng.integers(4)] if rng.random() < 0.8 else "short",
        hat=cloth(rng) if rng.random() < 0.22 else None,
        top=top,
        bottom=bottom,
        shoes=np.array(_plain(tone)) if rng.random() < 0.12 else cloth(rng),
        socks=cloth(rng),
        sleeve_length=float(
            rng.choice(
                [-1.0, 0.25, rng.uniform(0.4, 0.85), rng.uniform(1.4, 2)], p=[0.15, 0.1, 0.4, 0.35]
            )
        ),
        trouser_length=rng.uniform(0.1, 0.95) if short else rng.uniform(1.5, 2.1),
        sock_height=float(rng.choice([0.08, rng.uniform(0.1, 0.4), 0.85], p=[0.4, 0.4, 0.2])),
        skirt_length=rng.uniform(0.45, 1.3) if skirt else 0.0,
        top_slack=rng.uniform(1, 7) if rng.random() < 0.6 else rng.uniform(7, 20),
        bottom_slack=rng.uniform(1, 8) if rng.random() < 0.6 else rng.uniform(8, 24),
        waistline=rng.uniform(-0.08, 0.3),
        neckline=rng.uniform(0.02, 0.28),
        bare_chest=not female and rng.random() < 0.07,
        gloves=rng.random() < 0.06,
        number=str(rng.integers(1, 100)) if sporty and rng.random() < 0.5 else "",
        beard=0.0 if female or rng.random() < 0.7 else rng.uniform(0.2, 0.85),
    )
