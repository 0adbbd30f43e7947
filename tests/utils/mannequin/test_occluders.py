import numpy as np

from utils.mannequin import MannequinOptions, render_clip
from utils.mannequin.occluders import Occluder, sample_passing


def test_a_thing_moves_evenly():
    outline = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0]])
    thing = Occluder(outline, 1000.0, np.zeros((2, 3)), velocity=(10.0, -2.0), time=1.0)
    np.testing.assert_allclose(thing.at(1.5).outline, outline + np.array([5, -1]))
    np.testing.assert_allclose(thing.at(3.0).at(1.0).outline, outline)


def test_what_passes_is_over_the_person_at_its_time():
    frames = np.arange(8)[:, None, None]
    joints = np.random.default_rng(0).uniform(50, 150, (1, 16, 2)) + [20, 0] * frames
    for seed in range(20):
        rng = np.random.default_rng(seed)
        things = sample_passing(rng, joints, 0.8, 900.0, 400, 200)
        assert things
        for thing in things:
            frame = round(thing.time / 0.1)
            low, high = thing.outline.min(axis=0), thing.outline.max(axis=0)
            inside = (joints[frame] > low - 25) & (joints[frame] < high + 25)
            assert inside.all(axis=-1).any()
            assert thing.depth < 900 and abs(thing.velocity[0]) > 20


def test_things_that_pass_hide_joints_for_a_while_and_change_nothing_else():
    hidden = for_a_while = 0
    for seed in range(6):
        clips = [
            [frame.people[0] for frame in render_clip(seed, 8, 10.0, options)]
            for options in (MannequinOptions(96, 96), MannequinOptions(96, 96, passing=True))
        ]
        for without, others in zip(*clips, strict=True):
            np.testing.assert_array_equal(without.keypoints_2d_mpii, others.keypoints_2d_mpii)
        seen, still_seen = (np.array([one.visibility_mpii for one in clip]) for clip in clips)
        assert not (still_seen & ~seen).any()
        newly = seen & ~still_seen
        hidden += newly.sum()
        for_a_while += (newly & still_seen.any(axis=0)).sum()
    assert hidden > 40 and for_a_while > hidden / 2
