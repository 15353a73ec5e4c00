"""FGSM, PGD and worst-of-k: the torch versions against equations and NumPy."""
import numpy as np
import pytest

from pasted import BadArgument, robust_numpy

try:
    import torch
except ImportError:
    torch = None
else:
    from pasted import robust

needs_torch = pytest.mark.skipif(torch is None, reason="torch is missing")
N, C, H, W, K = 6, 3, 5, 4, 10


@pytest.fixture
def scene():
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Flatten(),
                                torch.nn.Linear(C * H * W, K))
    images = torch.rand(N, C, H, W)
    mask = (torch.rand(N, 1, H, W) > 0.5).float()
    labels = torch.arange(N) % K
    return model, images, mask, labels


def test_the_papers_schedule_goes_from_sign_to_gradient():
    g = np.array([[-2.0, 1.0, 0.0]], np.float32)
    first = robust_numpy.step_of(g, 0, 8, 16 / 255)
    np.testing.assert_allclose(first, [[-2 / 255, 2 / 255, 0]], rtol=1e-6)
    last = robust_numpy.step_of(g, 7, 8, 16 / 255)
    half = (2 / 255) * (1 + 7 * 0.5) / 8
    np.testing.assert_allclose(last, [[-2 / 255, half, 0]], rtol=1e-6)


def test_projection_keeps_each_region_within_its_epsilon():
    image = np.full((1, 1, 1, 3), 0.5, np.float32)
    mask = np.array([[[[1.0, 0.0, 0.5]]]], np.float32)
    far = robust_numpy.project(image + 1, image, mask, 0.1, 0.3)
    np.testing.assert_allclose(far.ravel(), [0.6, 0.8, 0.7], rtol=1e-6)


def test_a_misclassified_candidate_beats_a_larger_loss():
    losses = np.array([[3.0, 1.0, 2.0], [1.0, 5.0, 2.0]])
    wrong = np.array([[False, True, True], [False, False, False]])
    assert robust_numpy.worst_of_k(losses, wrong).tolist() == [2, 1]


@needs_torch
def test_torch_steps_are_numpys(scene):
    g = torch.randn(N, C, H, W)
    for schedule in ("paper", "sign"):
        for t in range(4):
            ours = robust.step_of(g, t, 4, 0.1, schedule).numpy()
            theirs = robust_numpy.step_of(g.numpy(), t, 4, 0.1, schedule)
            np.testing.assert_allclose(ours, theirs, atol=1e-7)


@needs_torch
def test_gradient_is_that_of_finite_differences(scene):
    model, images, _, labels = scene
    model, images = model.double(), images.double()
    g = robust.gradient(model, images, labels)
    loss = torch.nn.CrossEntropyLoss(reduction="sum")
    nudged = images.clone()
    nudged[2, 1, 3, 0] += 1e-6
    slope = (loss(model(nudged), labels) - loss(model(images), labels)) / 1e-6
    assert abs(slope.item() - g[2, 1, 3, 0].item()) < 1e-4
    assert all(p.grad is None for p in model.parameters())


@needs_torch
@pytest.mark.parametrize("random_start", [False, True])
def test_pgd_raises_the_loss_and_stays_within_both_epsilons(scene,
                                                           random_start):
    model, images, mask, labels = scene
    before = images.clone()
    hard = robust.pgd(model, images, labels, mask=mask, epsilon_object=0.02,
                      epsilon_context=0.1, random_start=random_start)
    assert torch.equal(images, before)
    moved = (hard - images).abs()
    assert (moved * mask).max() <= 0.02 + 1e-6
    assert 0.05 < moved.max() <= 0.1 + 1e-6
    assert hard.min() >= 0 and hard.max() <= 1
    loss = torch.nn.functional.cross_entropy
    assert loss(model(hard), labels) > loss(model(images), labels)
    assert not hard.requires_grad


@needs_torch
def test_masks_that_would_be_spread_over_other_axes_are_refused(scene):
    model, images, mask, labels = scene
    n, _, h, w = images.shape
    for bad in (mask[:, 0], mask[:1], mask[:, :, :-1]):
        with pytest.raises(BadArgument, match=r"masks of images .*unsqueeze"):
            robust.pgd(model, images, labels, mask=bad)
    with pytest.raises(BadArgument, match="as many axes"):
        robust_numpy.project(images.numpy(), images.numpy(),
                             mask[:, 0].numpy(), 0.1, 0.1)
    assert mask.shape == (n, 1, h, w)


@needs_torch
def test_an_epsilon_of_nought_freezes_the_object(scene):
    model, images, mask, labels = scene
    hard = robust.pgd(model, images, labels, mask=mask, epsilon_object=0)
    assert torch.equal(hard * mask, images * mask)
    assert not torch.equal(hard, images)


@needs_torch
def test_fgsm_is_one_sign_step(scene):
    model, images, _, labels = scene
    hard = robust.fgsm(model, images, labels, 0.05)
    g = robust.gradient(model, images, labels)
    np.testing.assert_allclose(
        hard.numpy(), robust_numpy.fgsm(images.numpy(), g.numpy(), 0.05),
        atol=1e-7)


@needs_torch
def test_worst_of_k_takes_the_hardest_candidate(scene):
    model, images, _, labels = scene
    candidates = torch.rand(N, 7, C, H, W)
    worst, index = robust.worst_of_k(model, candidates, labels)
    scores = model(candidates.flatten(0, 1)).view(N, 7, K)
    losses = -torch.log_softmax(scores, 2)[torch.arange(N), :, labels]
    wrong = scores.argmax(2) != labels[:, None]
    expected = robust_numpy.worst_of_k(losses.detach().numpy(), wrong.numpy())
    assert index.tolist() == expected.tolist()
    assert torch.equal(worst, candidates[torch.arange(N), index])


@needs_torch
@pytest.mark.parametrize("wrong", [{"steps": 0}, {"schedule": "cosine"}])
def test_wrong_arguments_are_refused(scene, wrong):
    model, images, _, labels = scene
    with pytest.raises(ValueError, match=next(iter(wrong))):
        robust.pgd(model, images, labels, **wrong)


UNITS = [({"images": 255}, "images.*divide levels"), ({"mask": 255}, "masks"),
         ({"images": -1}, "images"), ({"images": float("nan")}, "images"),
         ({"images": "u8"}, "images.*u?int8"), ({"mask": "u8"}, "masks.*int8"),
         ({"epsilon_context": 16}, "epsilon_context 16 .*16 / 255"),
         ({"epsilon_object": -0.1}, "epsilon_object"),
         ({"epsilon_object": float("nan")}, "epsilon_object")]


def wrong_units(wrong, images, mask, u8):
    """Images, mask and epsilons, one of them wrong."""
    values = {"images": images, "mask": mask, "epsilon_object": 4 / 255,
              "epsilon_context": 16 / 255}
    (name, change), = wrong.items()
    values[name] = (change if name.startswith("epsilon") else
                    u8(values[name]) if change == "u8" else
                    values[name] * change)
    return values


@pytest.mark.parametrize("wrong, why", UNITS)
def test_numpy_refuses_other_units(wrong, why):
    rng = np.random.default_rng(1)
    values = wrong_units(wrong, rng.random((N, C, H, W), np.float32),
                         np.ones((N, 1, H, W), np.float32),
                         lambda a: a.astype(np.uint8))
    with pytest.raises(BadArgument, match=why):
        robust_numpy.start(seed=1, **values)
    with pytest.raises(BadArgument, match=why):
        robust_numpy.project(values["images"], **values)


def test_numpys_fgsm_refuses_other_units():
    images = np.ones((N, C, H, W), np.float32)
    for bad, epsilon in ((images * 255, 0.1), (images, 8),
                         (images.astype(np.uint8), 0.1)):
        with pytest.raises(BadArgument, match="0..1"):
            robust_numpy.fgsm(bad, images, epsilon)


@needs_torch
@pytest.mark.parametrize("wrong, why", UNITS)
def test_torch_refuses_other_units(scene, wrong, why):
    model, images, mask, labels = scene
    mask[0] = 1
    values = wrong_units(wrong, images, mask, lambda t: t.byte())
    with pytest.raises(BadArgument, match=why):
        robust.pgd(model, values.pop("images"), labels, **values)


@needs_torch
def test_torchs_fgsm_refuses_other_units(scene):
    model, images, _, labels = scene
    for bad, epsilon in ((images * 255, 0.1), (images, 8),
                         (images.byte(), 0.1)):
        with pytest.raises(BadArgument, match="0..1"):
            robust.fgsm(model, bad, labels, epsilon)


@needs_torch
def test_bfloat16_may_be_off_by_rounding(scene):
    model, images, _, labels = scene
    rounded = (images * 1.001).bfloat16().float()
    assert robust.fgsm(model, rounded, labels, 0.1).max() <= 1
