"""Client and Batch against a real daemon."""
import gc
import io
import os
import signal
import threading
import time

import numpy as np
import pytest

import pasted


def test_batch_is_a_mapping_of_the_streams_tensors(url):
    with pasted.connect(url) as client:
        batch = client.next()
        info = client.info
    n, h, w = 16, info["height"], info["width"]
    assert list(batch) == ["label", "object", "background", "position", "box",
                           "visible", "image"]
    assert batch["image"].shape == (n, h, w, 3)
    assert batch["image"].dtype == np.uint8
    assert batch["label"].dtype == np.int64
    assert batch["box"].shape == (n, 4)
    assert batch["position"].tolist() == list(range(n))
    assert (batch["label"] < info["n_classes"]).all()
    with pytest.raises(KeyError, match="no tensor 'lable'.*label"):
        batch["lable"]


def test_bytes_are_those_of_http(daemon, url):
    with pasted.connect(url, position=32) as client:
        batch = client.next()
    body = daemon.get("/v1/streams/default/batches/2.npz?batch=16").body
    with np.load(io.BytesIO(body)) as other:
        for name in batch:
            np.testing.assert_array_equal(batch[name], other[name], name)


def test_owned_arrays_can_be_written_and_views_cannot(url):
    with pasted.connect(url) as client:
        owned = client.next()["image"]
        view = client.pull(0, copy=False)["image"]
        client.pull(0)["image"][:] = 3
        np.testing.assert_array_equal(owned, view)
        owned[:] = 7
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 7


def test_views_outlive_batch_client_and_later_batches(url):
    with pasted.connect(url) as client:
        views = [client.next(copy=False)["image"] for _ in range(6)]
    with pasted.connect(url) as client:
        fresh = [client.next()["image"] for _ in range(6)]
    del client
    gc.collect()
    for view, array in zip(views, fresh):
        np.testing.assert_array_equal(view, array)


def test_out_receives_into_the_callers_memory(url):
    with pasted.connect(url) as client:
        expected = client.pull(0)
        image = np.zeros_like(expected["image"])
        batch = client.next(out={"image": image})
        assert batch["image"] is image and list(batch) == ["image"]
        np.testing.assert_array_equal(image, expected["image"])
        with pytest.raises(pasted.BadArgument, match="image"):
            client.next(out={"image": np.zeros(3, np.uint8)})
        with pytest.raises(pasted.NotFound, match="imgae"):
            client.next(out={"imgae": image})
        with pytest.raises(ValueError, match="contiguous"):
            client.next(out={"image": image[:, ::2]})
        with pytest.raises(pasted.BadArgument, match="uint8.*float32"):
            client.next(out={"image": image.astype(np.float32)})
        with pytest.raises(pasted.BadArgument, match="uint8.*not uint8"):
            client.next(out={"image": image.ravel()})
        assert client.position == 16  # refused calls took no batch


def test_names_choose_tensors_and_refuse_unknown_ones(url):
    with pasted.connect(url) as client:
        assert list(client.next(names=["label"])) == ["label"]
        with pytest.raises(pasted.NotFound, match="'mask'.*labels/tensors"):
            client.next(names=["mask"])


def test_state_continues_in_another_client(url):
    with pasted.connect(url) as client:
        client.next()
        state = client.state_dict()
        expected = [client.next()["image"] for _ in range(3)]
    with pasted.connect(url, state=state) as client:
        for image in expected:
            np.testing.assert_array_equal(client.next()["image"], image)
        client.load_state_dict(state)
        np.testing.assert_array_equal(client.next()["image"], expected[0])


def test_state_of_another_stream_is_refused(url):
    with pasted.connect(url) as client:
        state = dict(client.state_dict(), fingerprint="0" * 64)
        with pytest.raises(pasted.FingerprintMismatch):
            client.load_state_dict(state)
        assert client.position == 0
    with pytest.raises(pasted.FingerprintMismatch):
        pasted.connect(url, state=state)


@pytest.mark.parametrize("dtype, expected", [
    ("u8", "uint8"), ("f16", "float16"), ("f32", "float32"),
    ("bf16", "uint16")])
def test_dtypes_arrive_as_numpys(url, dtype, expected):
    with pasted.connect(url, dtype=dtype, layout="nchw") as client:
        batch = client.next()
        assert batch["image"].dtype == np.dtype(expected)
        assert batch["image"].shape[1] == 3
        assert batch.bf16 == (dtype == "bf16")


def test_errors_say_what_would_be_right(daemon, url):
    with pytest.raises(pasted.NotFound, match="nosuch"):
        pasted.connect(f"pasted://127.0.0.1:{daemon.tcp}/nosuch")
    with pytest.raises(pasted.BadArgument, match="dtype"):
        pasted.connect(url, dtype="f8")
    with pytest.raises(pasted.BadArgument, match="bacth"):
        pasted.connect(url, bacth=3)
    with pytest.raises(pasted.PastedError):
        pasted.connect("pasted://127.0.0.1:1/default")
    client = pasted.connect(url)
    client.close()
    client.close()
    with pytest.raises(pasted.BadState, match="closed"):
        client.next()


def test_a_closed_client_leaves_no_thread_or_descriptor(url):
    def counts():
        return (len(os.listdir("/proc/self/fd")),
                len(os.listdir("/proc/self/task")))
    pasted.connect(url).close()
    before = counts()
    for _ in range(10):
        with pasted.connect(url) as client:
            client.next(copy=False)
    assert counts() == before


def test_interrupt_ends_a_wait(daemon):
    with pasted.connect(f"pasted://127.0.0.1:{daemon.tcp}/default?batch=4",
                        reconnect_timeout_ms=30000) as client:
        client.next()
        daemon.signal(signal.SIGSTOP)
        try:
            threading.Timer(0.3, client.interrupt).start()
            with pytest.raises(pasted.Cancelled):
                for _ in range(10000):
                    client.next()
        finally:
            daemon.signal(signal.SIGCONT)


def test_ctrl_c_ends_a_wait_within_a_second(daemon):
    with pasted.connect(f"pasted://127.0.0.1:{daemon.tcp}/default?batch=4",
                        timeout=60) as client:
        client.next()
        daemon.signal(signal.SIGSTOP)
        try:
            main = threading.main_thread().ident
            threading.Timer(0.3, signal.pthread_kill,
                            (main, signal.SIGINT)).start()
            begun = time.monotonic()
            with pytest.raises(KeyboardInterrupt):
                for _ in range(10000):
                    client.next()
            assert time.monotonic() - begun < 5
        finally:
            daemon.signal(signal.SIGCONT)


def test_timeout_loses_nothing(daemon):
    with pasted.connect(f"pasted://127.0.0.1:{daemon.tcp}/default?batch=4",
                        timeout=0.5) as client:
        daemon.signal(signal.SIGSTOP)
        seen = 0
        try:
            with pytest.raises(pasted.Timeout):
                while True:
                    client.next(copy=False)
                    seen += 1
        finally:
            daemon.signal(signal.SIGCONT)
        client.timeout = 30
        assert client.next().cursor == 4 * seen


def test_a_fork_is_told_so(url):
    with pasted.connect(url) as client:
        client.next()
        pid = os.fork()
        if pid == 0:
            try:
                client.next()
            except pasted.Forked:
                os._exit(0)
            os._exit(1)
        assert os.waitpid(pid, 0)[1] == 0
        assert client.next().cursor == 16


def test_members_of_a_group_share_its_steps(url):
    options = {"group": "python", "steps": 6, "prefetch": 0}
    with pasted.connect(url, **options) as one, \
            pasted.connect(url, **options) as other:
        first = one.next().cursor
        one.ack()
        with pytest.raises(pasted.BadState, match="no batch waits"):
            one.ack()
        seen = [batch.cursor for batch in other]
        assert sorted([first] + seen) == [16 * i for i in range(6)]
        assert list(one) == []
        with pytest.raises(pasted.Ended):
            one.next()
        with pytest.raises(pasted.BadState, match="keeps the place"):
            one.state_dict()
        assert other.stats["acks"] == 5
    with pytest.raises(pasted.GroupMismatch, match="steps"):
        pasted.connect(url, **dict(options, steps=7))


def test_candidates_lie_side_by_side(url):
    with pasted.connect(url, position=32) as client:
        plain = client.next()
    with pasted.connect(url, position=32, rank=0, candidates=5) as client:
        assert client.info["candidates"] == 5
        assert client.info["n_samples"] == 16
        batch = client.next()
        again = client.pull(32)
        assert client.position == 48
    h, w = client_size = plain["image"].shape[1:3]
    assert batch["image"].shape == (80, *client_size, 3)
    assert batch["candidate"].tolist() == list(range(5)) * 16
    assert batch["position"].tolist() == [32 + i // 5 for i in range(80)]
    assert (batch.cursor, batch.first_position) == (32, 32)
    images = batch["image"].reshape(16, 5, h, w, 3)
    np.testing.assert_array_equal(images[:, 0], plain["image"])
    assert (images[:, 1] != images[:, 0]).any()
    for name in batch:
        np.testing.assert_array_equal(batch[name], again[name], name)


def test_candidates_beyond_the_limit_are_refused(url):
    for candidates in (0, 33):
        with pytest.raises(pasted.BadArgument, match="candidates.*1 to 32"):
            pasted.connect(url, candidates=candidates)
    with pasted.connect(url + "&candidates=2") as client:
        assert len(client.next()["label"]) == 32
