"""Skeletons against the published orders, and the converters' promises."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.skeleton_conversion import STATUSES, conversion_rules, convert
from utils.skeletons import (
    BLAZEPOSE_33,
    BODY_25_15,
    COCO_17,
    DANCE_13,
    H36M_17,
    H36M_32,
    HUMANEVA_15,
    HUMANEVA_20,
    LSP_14,
    MPII_16,
    SIDE_COLOURS,
    SKELETONS,
    Skeleton,
    custom_skeleton,
    skeleton_named,
)

SKELETON = st.sampled_from(list(SKELETONS.values()))


def random_poses(skeleton: Skeleton, axes: int = 2, count: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, len(skeleton), axes)) * 100


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS.keys())
def test_is_well_formed(skeleton: Skeleton) -> None:
    assert int(skeleton.name.rsplit("_", 1)[1]) == len(skeleton) == len(skeleton.parents)
    assert len(set(skeleton.joints)) == len(skeleton)
    assert skeleton.parents.count(-1) == 1
    for joint in range(len(skeleton)):
        steps = 0
        while skeleton.parents[joint] >= 0:
            joint, steps = skeleton.parents[joint], steps + 1
            assert steps < len(skeleton), "the tree has a loop"
        assert joint == skeleton.root
    assert len(skeleton.bones) == len(skeleton) - 1 + len(skeleton.links)
    assert len(skeleton.bone_colours) == len(skeleton.bones)
    assert len(set(map(frozenset, skeleton.bones))) == len(skeleton.bones)
    sided = sorted(joint for pair in skeleton.pairs for joint in pair)
    assert sided == [i for i, side in enumerate(skeleton.sides) if side != "middle"]


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS.keys())
def test_the_drawn_skeleton_is_its_own_mirror_image(skeleton: Skeleton) -> None:
    order = skeleton.flip_order
    bones = {frozenset(bone) for bone in skeleton.bones}
    assert bones == {frozenset((order[a], order[b])) for a, b in skeleton.bones}


@given(SKELETON, st.integers(0, 1000))
def test_flipping_twice_changes_nothing(skeleton: Skeleton, seed: int) -> None:
    order = list(skeleton.flip_order)
    assert sorted(order) == list(range(len(skeleton)))
    poses = random_poses(skeleton, seed=seed)
    assert not np.array_equal(poses[:, order], poses)
    np.testing.assert_array_equal(poses[:, order][:, order], poses)


def test_orders_are_the_published_ones() -> None:
    """Index lists as the data sets' and networks' own tools write them."""
    mirrored_mpii = [5, 4, 3, 2, 1, 0, 6, 7, 8, 9, 15, 14, 13, 12, 11, 10]
    assert list(MPII_16.flip_order) == mirrored_mpii
    # Parents of MPII-16 and of Human3.6M-17 in VideoPose3D; left and right slots in Human3.6M-32.
    assert list(H36M_17.parents) == [-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15]
    assert [left for left, _ in H36M_32.pairs] == [6, 7, 8, 9, 10, *range(16, 24)]
    assert sorted(right for _, right in H36M_32.pairs) == [1, 2, 3, 4, 5, *range(24, 32)]
    assert [left for left, _ in HUMANEVA_15.pairs] == [2, 3, 4, 8, 9, 10]
    assert [left for left, _ in HUMANEVA_20.pairs] == [3, 4, 5, 6, 11, 12, 13, 14]
    assert sorted(COCO_17.pairs) == [(i, i + 1) for i in range(1, 17, 2)]
    assert LSP_14.joints == tuple(
        MPII_16.joints[i] for i in [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 8, 9]
    )
    # COCO-17 and BlazePose-33 to the others.
    to_body_25 = [0, -1, 6, 8, 10, 5, 7, 9, -1, 12, 14, 16, 11, 13, 15]
    assert [_exact_source(rule) for rule in conversion_rules(COCO_17, BODY_25_15)] == [
        i if i >= 0 else None for i in to_body_25
    ]
    to_dance = [0, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]
    assert [_exact_source(rule) for rule in conversion_rules(BLAZEPOSE_33, DANCE_13)] == to_dance
    to_coco = [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]
    assert [_exact_source(rule) for rule in conversion_rules(BLAZEPOSE_33, COCO_17)] == to_coco


def _exact_source(rule) -> int | None:
    return rule.parts[0][0] if rule.status == "exact" else None


def test_the_17_used_slots_of_human36m() -> None:
    slots = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27]
    assert tuple(H36M_32.joints[i] for i in slots) == H36M_17.joints
    poses = random_poses(H36M_32, axes=3)
    conversion = convert(poses, H36M_32, H36M_17)
    assert set(conversion.status) == {"exact"}
    np.testing.assert_array_equal(conversion.poses, poses[:, slots])


def test_human36m_from_mpii_takes_the_known_limbs() -> None:
    """The list is the correct permutation for Human3.6M without its nose. Only the spine and the
    head are other places of the body than the MPII joint that stands in for them there."""
    poses = random_poses(MPII_16)
    converted = convert(poses, MPII_16, H36M_17).poses
    names = [joint for joint in H36M_17.joints if joint != "neck_nose"]
    known = [6, 2, 1, 0, 3, 4, 5, 7, 8, 9, 13, 14, 15, 12, 11, 10]
    for name, source in zip(names, known, strict=True):
        same = np.array_equal(converted[:, H36M_17.index(name)], poses[:, source])
        assert same == (name not in ("spine", "head"))


def test_same_name_but_other_place() -> None:
    """MPII's thorax lies between the shoulders, Human3.6M's at the base of the neck."""
    poses = random_poses(MPII_16)
    to_h36m = convert(poses, MPII_16, H36M_17)
    thorax = H36M_17.index("thorax")
    assert to_h36m.status[thorax] == "derived"
    np.testing.assert_array_equal(to_h36m.poses[:, thorax], poses[:, MPII_16.index("upper_neck")])
    poses = random_poses(H36M_17)
    to_mpii = convert(poses, H36M_17, MPII_16)
    shoulders = poses[:, H36M_17.indices("left_shoulder", "right_shoulder")].mean(axis=1)
    np.testing.assert_allclose(to_mpii.poses[:, MPII_16.index("thorax")], shoulders)


def test_derivations_by_hand() -> None:
    poses = random_poses(COCO_17)
    shoulders = poses[:, COCO_17.indices("left_shoulder", "right_shoulder")].mean(axis=1)
    hips = poses[:, COCO_17.indices("left_hip", "right_hip")].mean(axis=1)
    ears = poses[:, COCO_17.indices("left_ear", "right_ear")].mean(axis=1)
    neck = shoulders + 0.12 * (shoulders - hips)
    conversion = convert(poses, COCO_17, MPII_16)
    expected = {
        "pelvis": (hips, "derived"),
        "thorax": (shoulders, "derived"),
        "upper_neck": (neck, "derived"),
        "head_top": (neck + 1.9 * (ears - neck), "invented"),
        "left_knee": (poses[:, COCO_17.index("left_knee")], "exact"),
    }
    for name, (place, status) in expected.items():
        joint = MPII_16.index(name)
        assert conversion.status[joint] == status
        np.testing.assert_allclose(conversion.poses[:, joint], place, err_msg=name)


def test_what_cannot_be_known_is_missing() -> None:
    conversion = convert(random_poses(LSP_14), LSP_14, COCO_17)
    eyes_and_ears = COCO_17.indices("left_eye", "right_eye", "left_ear", "right_ear")
    missing = np.asarray(np.isnan(conversion.poses).all(axis=(0, 2)))
    assert np.flatnonzero(missing).tolist() == sorted(eyes_and_ears)
    assert [s == "missing" for s in conversion.status] == missing.tolist()


@given(SKELETON, SKELETON)
def test_weights_add_up_to_one_and_sides_stay(source: Skeleton, target: Skeleton) -> None:
    for joint, rule in enumerate(conversion_rules(source, target)):
        assert rule.status in STATUSES
        assert (rule.status == "missing") == (not rule.parts)
        if rule.parts:
            assert sum(weight for _, weight in rule.parts) == pytest.approx(1)
        if target.sides[joint] != "middle" and len(rule.parts) == 1:
            side = source.sides[rule.parts[0][0]]
            assert side in (target.sides[joint], "middle")
        if rule.status == "exact":
            assert len(rule.parts) == 1


@settings(max_examples=50)
@given(SKELETON, SKELETON, st.integers(0, 1000))
def test_conversion_follows_movement_and_mirror(
    source: Skeleton, target: Skeleton, seed: int
) -> None:
    random = np.random.default_rng(seed)
    poses = random_poses(source, axes=3, seed=seed)
    matrix, shift = random.normal(size=(3, 3)), random.normal(size=3) * 1000
    converted = convert(poses, source, target).poses
    np.testing.assert_allclose(
        convert(poses @ matrix + shift, source, target).poses, converted @ matrix + shift, atol=1e-6
    )
    flipped = convert(poses[:, list(source.flip_order)], source, target).poses
    np.testing.assert_allclose(flipped, converted[:, list(target.flip_order)], atol=1e-9)


@given(SKELETON)
def test_to_itself_is_the_identity(skeleton: Skeleton) -> None:
    poses = random_poses(skeleton)
    conversion = convert(poses, skeleton, skeleton)
    assert set(conversion.status) == {"exact"}
    np.testing.assert_array_equal(conversion.poses, poses)


def test_nan_reaches_what_is_computed_from_it_and_nothing_else() -> None:
    poses = random_poses(COCO_17)
    poses[1, COCO_17.index("left_hip")] = np.nan
    converted = convert(poses, COCO_17, MPII_16).poses
    lost = np.asarray(np.isnan(converted).all(axis=-1))
    assert not lost[[0, 2]].any()
    names = {MPII_16.joints[i] for i in np.flatnonzero(lost[1])}
    assert names == {"left_hip", "pelvis", "upper_neck", "head_top"}


def test_tensors_convert_like_arrays_and_have_gradients() -> None:
    poses = random_poses(LSP_14).astype(np.float32)
    tensor = torch.from_numpy(poses).requires_grad_()
    converted = convert(tensor, LSP_14, COCO_17)
    expected = convert(poses, LSP_14, COCO_17)
    assert converted.poses.dtype == torch.float32 and expected.poses.dtype == np.float32
    np.testing.assert_allclose(converted.poses.detach().numpy(), expected.poses, rtol=1e-6)
    torch.where(converted.poses.isnan(), 0, converted.poses).sum().backward()
    assert tensor.grad is not None and tensor.grad.isfinite().all()


def test_wrong_number_of_joints_is_refused() -> None:
    with pytest.raises(ValueError, match=r"lsp_14 poses are \(\.\.\., 14, D\)"):
        convert(np.zeros((16, 2)), LSP_14, MPII_16)
    with pytest.raises(KeyError, match="mpii_16 has no joint 'tail'"):
        MPII_16.index("tail")


def test_groups_and_colours() -> None:
    rows = ("head", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    assert tuple(MPII_16.groups) == rows
    names = {row: {MPII_16.joints[i] for i in joints} for row, joints in MPII_16.groups.items()}
    assert names["head"] == {"head_top"}
    assert names["ankle"] == {"left_ankle", "right_ankle"}
    assert {H36M_17.joints[i] for i in H36M_17.groups["hip"]} == {"left_hip", "right_hip"}
    assert len(HUMANEVA_20.groups["knee"]) == 4
    colours = dict(zip(LSP_14.bones, LSP_14.bone_colours, strict=True))
    left, right = LSP_14.indices("left_hip", "right_hip")
    assert colours[(left, right)] == SIDE_COLOURS["middle"]
    assert colours[(left, LSP_14.index("left_knee"))] == SIDE_COLOURS["left"]


def test_places_agree_with_human36m_itself(real_data) -> None:
    """Real Human3.6M poses, told in MPII's joints and back, keep their places."""
    with np.load(real_data / "h36m_sample" / "poses.npz", allow_pickle=False) as sample:
        poses = sample["S"][..., :3] * 1000
    there = convert(poses, H36M_17, MPII_16).poses
    back = convert(there, MPII_16, H36M_17)
    error = np.linalg.norm(back.poses - poses, axis=-1).mean(axis=0)
    for name, limit in {"hip": 1, "thorax": 1e-6, "head": 5, "spine": 80}.items():
        assert error[H36M_17.index(name)] < limit, name


def test_mpii_annotations_place_thorax_and_pelvis_halfway(real_data) -> None:
    """What the table of places claims of MPII, on its validation people."""
    import scipy.io

    content = scipy.io.loadmat(real_data / "mpii_eval" / "detections_our_format.mat")
    poses = content["pos_gt_src"].transpose(2, 0, 1).astype(float)
    poses[content["jnt_missing"].T > 0] = np.nan
    torso = np.linalg.norm(
        poses[:, MPII_16.index("thorax")] - poses[:, MPII_16.index("pelvis")], axis=-1
    )
    lsp = convert(poses, MPII_16, LSP_14).poses
    again = convert(lsp, LSP_14, MPII_16).poses
    for name in ("thorax", "pelvis"):
        joint = MPII_16.index(name)
        error = np.linalg.norm(again[:, joint] - poses[:, joint], axis=-1) / torso
        assert np.nanmedian(error) < 0.01, name


def test_a_custom_skeleton_is_told_whole_by_its_name() -> None:
    joints = ["snout", "l_ear", "r_ear", "tail base", 'tip "ü"']
    bones, swaps = [(1, 0), (0, 2), (2, 1), (3, 4)], [(1, 2)]
    skeleton = custom_skeleton(joints, bones, swaps)
    assert skeleton_named(skeleton.name) == skeleton
    assert skeleton.joints == tuple(joints) and skeleton.title == "custom joints"
    assert skeleton.parents == (-1, 0, 0, -1, 3) and skeleton.links == ((2, 1),)
    assert skeleton.flip_order == (0, 2, 1, 3, 4)
    assert skeleton.sides == ("middle", "left", "right", "middle", "middle")
    assert {frozenset(bone) for bone in skeleton.bones} == {frozenset(bone) for bone in bones}


def test_built_in_skeletons_are_known_by_name() -> None:
    assert skeleton_named("mpii_16") is MPII_16 and MPII_16.title == "mpii_16"


@pytest.mark.parametrize(
    ("joints", "bones", "swaps", "words"),
    [
        ([], [], [], "name of its own"),
        (["a", "a"], [], [], "name of its own"),
        (["a", ""], [], [], "name of its own"),
        (["a", "b"], [(0, 2)], [], "beyond the 2"),
        (["a", "b"], [(-1, 0)], [], "beyond the 2"),
        (["a", "b"], [(1, 1)], [], "pair of two joints"),
        (["a", "b"], [(0, 1, 1)], [], "pair of two joints"),
        (["a", "b", "c"], [], [(0, 1), (1, 2)], "changes places with two"),
    ],
)
def test_custom_skeletons_that_contradict_themselves(joints, bones, swaps, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        custom_skeleton(joints, bones, swaps)


@given(st.text())
def test_other_names_are_refused_with_a_clear_error(text: str) -> None:
    for name in (text, "custom:" + text):
        if name not in SKELETONS:
            with pytest.raises(ValueError, match=r"is not one of|is damaged"):
                skeleton_named(name)
