import json

import numpy as np
import pytest
import skops.io

from grader.boxes.given import Reply, Sent
from grader.checks import Expect, Failed
from lab_env.bundles import FIELDS, Bundle, agree, laid, made, orders, sound, whole

ORDER = orders(np.random.default_rng(3), 1)[0]


def row(bundle: Bundle, order: dict[str, object]) -> list[float]:
    """As features.py of the lab makes it."""
    zone = f"in_{order['zone']}"
    return [float(str(order[name])) if name in order else float(name == zone) for name in bundle.weights]


def test_a_bundle_says_with_a_pencil_what_its_model_says() -> None:
    for bundle in made(0)[0]:
        model = skops.io.loads(bundle.files[f"bundles/{bundle.version}/model.skops"])
        for order in orders(np.random.default_rng(5), 20):
            assert model.predict([row(bundle, order)])[0] == pytest.approx(bundle.minutes(order), abs=1e-9)


def test_no_two_versions_agree_on_any_order() -> None:
    for seed in range(50):
        rng = np.random.default_rng(seed)
        bundles, asked = made(50, 4, rng=rng)
        for order in asked:
            said = sorted(bundle.minutes(order) for bundle in bundles)
            assert min(np.diff(said)) > 1
        assert len({bundle.fallback["elsewhere"] for bundle in bundles}) == 4


def test_orders_are_complete_possible_and_each_of_another_customer() -> None:
    asked = orders(np.random.default_rng(7), 500)
    assert len({order["customer"] for order in asked}) == 500
    for order in asked:
        assert all(low <= order[name] <= high for name, (low, high, _) in FIELDS.items())


def test_without_a_generator_all_is_as_it_was_and_with_one_new() -> None:
    assert made(3) == made(3)
    assert made(3)[1] != made(3, rng=np.random.default_rng(9))[1]
    [bundle] = made(1, 1, without="rain_mm")[0]
    told = json.loads(bundle.files["bundles/101/bundle.json"])
    assert "rain_mm" not in told["fields"]
    assert "rain_mm" not in told["features"]


def test_what_is_broken_cannot_be_loaded_or_says_nan() -> None:
    bundle = made(1)[0][0]
    with pytest.raises(Exception, match="not a zip file"):
        skops.io.loads(bundle.broken("cut").files["bundles/101/model.skops"])
    model = skops.io.loads(bundle.broken("nan").files["bundles/101/model.skops"])
    assert np.isnan(model.predict([row(bundle, ORDER)])[0])


def test_a_release_names_what_lies_beside_it() -> None:
    files = laid(made(0)[0], "102", previous="101")
    told = json.loads(files["release.json"])
    assert told == {"champion": "102", "previous": "101", "canary": None, "shadow": None}
    assert {path.split("/")[1] for path in files if path.startswith("bundles/")} == {"101", "102", "103"}


SAID = {"minutes": 31.5, "model_version": "101", "degraded": False}
NO_ANSWERS = {
    "cut": (0, b"RemoteDisconnected: ", "found RemoteDisconnected: ; expected an answer"),
    "crashed": (
        500,
        b"Internal Server Error",
        "found status 500: Internal Server Error; expected status 200",
    ),
    "html": (200, b"<html><body>31 minutes</body></html>", 'found <html>.*; expected {"minutes": a number'),
    "nan": (200, b'{"minutes": NaN, "model_version": "1", "degraded": false}', "found .*NaN.*; expected {"),
    "huge": (200, json.dumps(SAID | {"minutes": 1e300}).encode(), 'expected {"minutes": a number'),
    "truth": (200, json.dumps(SAID | {"minutes": True}).encode(), 'expected {"minutes": a number'),
    "text": (200, json.dumps(SAID | {"degraded": "no"}).encode(), 'expected {"minutes": a number'),
    "list": (200, b"[" * 2000, 'expected {"minutes": a number'),
}


@pytest.mark.parametrize("name", NO_ANSWERS)
def test_what_is_no_answer_is_told_as_it_came(name: str) -> None:
    status, body, told = NO_ANSWERS[name]
    with pytest.raises(Failed, match=told):
        whole(Sent(0, Reply(status, {}, body), 0.1), Expect(), "an order")


def test_an_answer_agrees_with_the_version_that_it_names_or_with_none() -> None:
    bundles = made(1)[0]
    said = {"minutes": bundles[1].minutes(ORDER), "model_version": "102", "degraded": False}
    assert sound(said)
    assert agree(said, ORDER, bundles)
    for wrong in ({"model_version": "101"}, {"model_version": "7"}, {"degraded": True}, {"minutes": 7.0}):
        assert not agree(said | wrong, ORDER, bundles)
