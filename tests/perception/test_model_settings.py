from __future__ import annotations

import pytest

from mot_dinov3.errors import ModelError
from mot_dinov3.perception.model_settings import BOUNDS, check_settings, estimate_parameters

BASE = {
    "model_type": "dinov2",
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "image_size": 518,
    "patch_size": 14,
    "mlp_ratio": 4,
}
BASE_PARAMETERS = 86e6


def refusal(tmp_path, **changes):
    with pytest.raises(ModelError) as caught:
        check_settings(BASE | changes, tmp_path, "it")
    assert caught.value.fix
    return caught.value.what


@pytest.fixture
def weights(tmp_path):
    def write(size):
        with (tmp_path / "model.safetensors").open("wb") as file:
            file.truncate(size)

    return write


def test_the_settings_of_a_real_model_pass(tmp_path, weights):
    weights(int(BASE_PARAMETERS * 4))
    check_settings(BASE, tmp_path, "it")
    check_settings({"vision_config": BASE, "hidden_sizes": [8, 16], "x": None}, tmp_path, "it")


def test_the_estimate_is_what_a_transformer_has():
    assert estimate_parameters(BASE) == pytest.approx(BASE_PARAMETERS, rel=0.03)


@pytest.mark.parametrize("key", BOUNDS)
@pytest.mark.parametrize("value", [-1, 10**9, 1e300, float("nan"), "many", [1, -5], [1] * 1001])
def test_a_setting_that_no_model_has_is_named(tmp_path, key, value):
    assert f"{key} " in refusal(tmp_path, **{key: value})
    assert f"{key} " in refusal(tmp_path, vision_config={key: value})


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden_size": 131_072},
        {"num_hidden_layers": 1000},
        {"image_size": 16_384, "patch_size": 1},
        {"vocab_size": 10_000_000},
    ],
)
def test_a_network_larger_than_its_weights_is_refused(tmp_path, weights, changes):
    weights(int(BASE_PARAMETERS * 4))
    assert "asks for a network of more than" in refusal(tmp_path, **changes)


def test_code_is_not_fetched_for_a_model(tmp_path, weights):
    weights(int(BASE_PARAMETERS * 4))
    check_settings(BASE | {"_attn_implementation": "sdpa"}, tmp_path, "it")
    assert "code to fetch" in refusal(tmp_path, _attn_implementation="someone/kernel")
