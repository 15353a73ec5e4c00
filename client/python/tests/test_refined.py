"""Refined chains against a real daemon: the loop, its checkpoint, bad input."""
import contextlib
import json
import threading
import time
import warnings

import numpy as np
import pytest

import pasted
from daemon import Daemon
from held import greeted, wait_until
from peer import encode
import stdlib_wire as wire

HARD = 32  # the capability

SLOTS = 16
RECIPE = {"size": [20, 24], "chain": {"slots": SLOTS, "reset": 0.3,
                                      "max_length": 6, "handed_on": "image"}}


@pytest.fixture(scope="module")
def chained(tmp_path_factory):
    path = tmp_path_factory.mktemp("chain") / "daemon.json"
    path.write_text(json.dumps({
        "pools": {"demo": {"demo": True}},
        "streams": {"default": {"pool": "demo", "recipe": RECIPE},
                    "plain": {"pool": "demo", "recipe": {"size": 20}}}}))
    with Daemon("--config", str(path)) as running:
        yield f"pasted://127.0.0.1:{running.tcp}/"


def darker(image):
    return (image * 0.7).astype(np.uint8)


def run(loader, steps, change=darker):
    out = []
    for image, position in loader:
        out.append((position.tolist(), image.copy()))
        loader.hand_on(change(image))
        if len(out) == steps:
            return out


def alike(a, b):
    assert [p for p, _ in a] == [p for p, _ in b]
    for (_, x), (_, y) in zip(a, b):
        np.testing.assert_array_equal(x, y)


def loader_of(chained, batch=8, **options):
    return pasted.Loader(f"{chained}default?batch={batch}", slots=SLOTS,
                         tensors=("image", "position"), framework="numpy",
                         **options)


def test_handing_on_the_images_is_the_plain_chain(chained):
    with loader_of(chained) as loader:
        refined = run(loader, 9, change=lambda image: image)
    with pasted.Loader(f"{chained}default?batch=8", framework="numpy",
                       tensors=("image", "position")) as loader:
        plain = [(p.tolist(), i.copy()) for (i, p), _ in zip(loader, range(9))]
    alike(refined, plain)


def test_what_is_handed_on_shows_and_lanes_do_not_mix(chained):
    with loader_of(chained) as loader:
        two_lanes = run(loader, 8)
    with loader_of(chained, batch=16) as loader:
        one_lane = run(loader, 4)
    whole = np.concatenate([image for _, image in one_lane])
    np.testing.assert_array_equal(
        np.concatenate([image for _, image in two_lanes]), whole)
    with loader_of(chained) as loader:
        other = run(loader, 8, change=lambda image: image)
    assert (two_lanes[-1][1] != other[-1][1]).any()


def test_a_checkpoint_goes_on_alike(chained):
    with loader_of(chained) as loader:
        whole = run(loader, 9)
    for cut in (1, 3, 4):
        with loader_of(chained) as loader:
            before = run(loader, cut)
            state = loader.state_dict()
        assert len(state["contexts"]) == min(cut, 2)
        with loader_of(chained) as loader:
            loader.load_state_dict(state)
            alike(before + run(loader, 9 - cut), whole)
        with loader_of(chained) as loader:  # of an open one
            run(loader, 2)
            loader.load_state_dict(state)
            alike(before + run(loader, 9 - cut), whole)


def test_without_contexts_it_says_so_once(chained):
    with loader_of(chained) as loader:
        whole = run(loader, 6)
        state = loader.state_dict()
    del state["contexts"]
    with loader_of(chained) as loader:
        loader.load_state_dict(state)
        with pytest.warns(UserWarning, match="no contexts.*begin anew") as said:
            run(loader, 3)
        assert len(said) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with loader_of(chained) as loader:
            alike(run(loader, 6), whole)


def test_pull_on_and_refine(chained):
    with pasted.connect(f"{chained}default?batch=4&prefetch=0") as client:
        contexts = client.pull(0)["image"]
        on_them = client.pull_on(SLOTS, contexts)
        np.testing.assert_array_equal(on_them["image"],
                                      client.pull(SLOTS)["image"])
        begun = client.pull_on(SLOTS)
        none = client.pull_on(SLOTS, contexts, given=[0] * 4)
        np.testing.assert_array_equal(begun["image"], none["image"])
        for k in range(4):
            client.refine(SLOTS + 4 * k, contexts)
        with pytest.raises(pasted.Overloaded, match="4 refined"):
            client.refine(0, contexts)
        assert [client.refined().cursor for _ in range(4)] == [16, 20, 24, 28]
        with pytest.raises(pasted.BadState):
            client.refined()
        assert client.position == 0


def test_bad_contexts_are_refused_and_the_client_lives(chained):
    with pasted.connect(f"{chained}default?batch=4") as client:
        good = np.zeros((4, 20, 24, 3), np.uint8)
        for bad in (good[:3], good.astype(np.float32), good[:, ::2],
                    good.transpose(0, 3, 1, 2)):
            with pytest.raises(ValueError, match="contexts"):
                client.refine(SLOTS, bad)
        with pytest.raises(ValueError, match="given"):
            client.refine(SLOTS, good, given=[1])
        with pytest.raises(pasted.BadArgument, match="given"):
            client.pull_on(SLOTS, good, given=[1, 2, 1, 1])
        assert client.pull_on(SLOTS, good)["image"].shape == good.shape
    with pasted.connect(f"{chained}plain?batch=4") as client:
        with pytest.raises(pasted.BadArgument, match="chain"):
            client.pull_on(SLOTS)
        client.next()
    with pytest.raises(pasted.BadArgument, match="slots 16 must be a multiple "
                       "of the global batch 6"):
        loader_of(chained, batch=6).client


def test_hand_on_before_the_first_step_says_so(chained):
    with loader_of(chained) as loader, \
            pytest.raises(ValueError, match="before the first step"):
        loader.hand_on(np.zeros((8, 20, 24, 3), np.uint8))


def test_slots_are_the_recipes(chained):
    """Other slots would hand each image on to other samples, silently."""
    for slots, stream, why in ((8, "default", "slots 8: chain/slots of stream "
                                "'default' is 16"),
                               (32, "default", "slots 32: .* is 16"),
                               (16, "plain", "slots 16: .* has no chain")):
        loader = pasted.Loader(f"{chained}{stream}?batch=8", slots=slots,
                               framework="numpy")
        for _ in range(2):  # it stays refused
            with pytest.raises(pasted.BadArgument, match=why):
                next(iter(loader))


def test_ask_tells_a_streams_recipe(chained):
    with pasted.connect(f"{chained}default?batch=4") as client:
        recipe = client.ask("recipe default")
        assert recipe["chain"]["slots"] == SLOTS and recipe["size"] == [20, 24]
        for unknown in ("recipe nobody", "recipe ", "recipes", "recipe default "):
            with pytest.raises(pasted.NotFound):
                client.ask(unknown)
        with pytest.raises(pasted.NotFound, match="recipe STREAM, sessions"):
            client.ask("recipes")


@contextlib.contextmanager
def taken(daemon):
    """All room for contexts, held by sessions in the middle of theirs."""
    with contextlib.ExitStack() as stack:
        while True:
            used = daemon.metrics()["pasted_contexts_bytes"]
            peer = stack.enter_context(greeted(daemon, capabilities=HARD))
            peer.open(batch=64)
            payload = wire.encode_refine(peer.opened, SLOTS, bytes(64 * 20 * 24 * 3))
            frame = encode(wire.REFINE, 5, payload)
            peer.sock.sendall(frame[:-1])
            if not wait_until(lambda: daemon.metrics()["pasted_contexts_bytes"] > used, 0.5):
                peer.sock.sendall(frame[-1:])
                peer.error("overloaded", fatal=False, request=5)
                break
        yield


def when_it_comes(client):
    """The batch that is still due after a Timeout, asked for again for 20 seconds."""
    end = time.monotonic() + 20
    while True:
        try:
            return client.refined()
        except pasted.Timeout:
            assert time.monotonic() < end


def test_no_room_for_contexts_is_waited_for(tmp_path):
    """The server says when to come again; the client does, until its deadline."""
    path = tmp_path / "daemon.json"
    path.write_text(json.dumps({
        "batch_budget": 2 << 20, "pools": {"demo": {"demo": True}},
        "streams": {"default": {"pool": "demo", "recipe": RECIPE}}}))
    with Daemon("--config", str(path)) as daemon:
        url = f"pasted://127.0.0.1:{daemon.tcp}/default?batch=64&prefetch=0"
        with pasted.connect(url, timeout=30) as client, \
                pasted.connect(url, timeout=0.5) as hurried:
            contexts = client.pull(0)["image"]
            expected = client.pull_on(SLOTS, contexts)["image"]
            got = []
            waiting = threading.Thread(daemon=True, target=lambda: got.append(
                client.pull_on(SLOTS, contexts)["image"]))
            with taken(daemon):
                with pytest.raises(pasted.Timeout, match="no room for contexts"):
                    hurried.pull_on(SLOTS, contexts)
                waiting.start()
                time.sleep(1.5)  # it has asked twice
                assert waiting.is_alive() and not got
            waiting.join(25)
            np.testing.assert_array_equal(got[0], expected)
            np.testing.assert_array_equal(when_it_comes(hurried)["image"], expected)


def test_candidates_share_contexts(chained):
    with pasted.connect(f"{chained}default?batch=4") as client:
        contexts = client.pull(0)["image"]
        one = client.pull_on(SLOTS, contexts)["image"]
    with pasted.connect(f"{chained}default?batch=4&candidates=3") as client:
        many = client.pull_on(SLOTS, contexts)["image"]
    np.testing.assert_array_equal(many[::3], one)


def test_as_contexts_takes_what_trainers_have():
    u8 = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3), np.uint8)
    np.testing.assert_array_equal(pasted.as_contexts(u8), u8)
    f32 = u8.transpose(0, 3, 1, 2).astype(np.float32) / 255
    np.testing.assert_array_equal(pasted.as_contexts(f32), u8)
    for width in (np.float16, np.float64):
        np.testing.assert_array_equal(pasted.as_contexts(f32.astype(width)),
                                      u8)
    off = np.full((1, 2, 2, 3), 1.001, np.float32)  # by rounding
    assert (pasted.as_contexts(off) == 255).all()
    assert (pasted.as_contexts(off - 1.002) == 0).all()


def test_as_contexts_refuses_what_it_would_guess_at():
    u8 = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3), np.uint8)
    f32 = u8.astype(np.float32) / 255
    nan, infinite = f32.copy(), f32.copy()
    nan[0, 0, 0, 0], infinite[1, 4, 6, 2] = np.nan, np.inf
    for bad, why in ((u8[0], r"\[n,h,w,3\]"), (u8[..., :2], r"\[n,h,w,3\]"),
                     (u8.astype(np.int32), "u8 or floats, not int32"),
                     (f32 > 0.5, "u8 or floats, not bool"),
                     (u8.astype(np.float32), "0..1.*divide levels.* by 255"),
                     ((f32 - 0.5) / 0.2, "0..1"), (f32 * 1.5, "0..1"),
                     (f32 - 0.01, "0..1"), (nan, "0..1"),
                     (infinite, "0..1")):
        with pytest.raises(pasted.BadArgument, match="contexts.*" + why):
            pasted.as_contexts(bad)


def test_what_hand_on_refuses_is_not_handed_on(chained):
    with loader_of(chained) as loader:
        whole = run(loader, 5)
    with loader_of(chained) as loader:
        steps, seen = iter(loader), []
        for _ in range(5):
            image, position = next(steps)
            seen.append((position.tolist(), image.copy()))
            for bad in (image[1:], image[:, 1:], image.astype(np.float32)):
                with pytest.raises(pasted.BadArgument, match="contexts"):
                    loader.hand_on(bad)
            loader.hand_on(darker(image))
        alike(seen, whole)
    with loader_of(chained) as loader:
        steps = iter(loader)
        for _ in range(4):  # the chains begin anew
            image, _ = next(steps)
            with pytest.raises(pasted.BadArgument, match="contexts"):
                loader.hand_on(image[1:])


def test_another_replica_goes_on(tmp_path):
    """What is under way is sent again, contexts and all."""
    path = tmp_path / "daemon.json"
    path.write_text(json.dumps({
        "pools": {"demo": {"demo": True}},
        "streams": {"default": {"pool": "demo", "recipe": RECIPE}}}))
    first, second = (Daemon("--config", str(path)) for _ in range(2))
    with first, second:
        url = (f"pasted://127.0.0.1:{first.tcp},127.0.0.1:{second.tcp}/"
               "default?batch=8")
        with loader_of(f"pasted://127.0.0.1:{second.tcp}/") as loader:
            whole = run(loader, 8)
        with pasted.Loader(url, slots=SLOTS, framework="numpy",
                           tensors=("image", "position")) as loader:
            before = run(loader, 3)  # two are under way
            first.process.kill()
            alike(before + run(loader, 5), whole)
            assert loader.client.stats["reconnects"] >= 1
