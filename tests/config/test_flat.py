"""Any root configuration becomes flags, variables and TOML, and comes back as it was."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from mot_dinov3.commands.flags import add_flags, resolve
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.config import TrackConfig, flag_fields
from mot_dinov3.config.fields import flag, require
from mot_dinov3.config.flat import as_dict, key_of, stages, to_toml
from mot_dinov3.config.tracking.inputs import DeviceConfig
from mot_dinov3.errors import UsageError


@dataclass(frozen=True, slots=True)
class FlatRecipe:
    """A recipe with flags of its own and no stage."""

    epochs: int = flag(60, "--epochs", "passes over the training identities")
    margin: float = flag(0.3, "--margin", "least distance of a stranger")

    def __post_init__(self):
        require(self.epochs >= 1, "--epochs", "1 or more", self.epochs)


@dataclass(frozen=True, slots=True)
class MixedRecipe:
    """A recipe with flags of its own, and a stage that it shares with tracking."""

    name: str = flag("reid", "--name", "what the checkpoint is called")
    device: DeviceConfig = field(default_factory=DeviceConfig)


def parsed(root, *words):
    parser = CommandParser(prog="probe")
    add_flags(parser, root)
    return vars(parser.parse_args(list(words)))


def test_a_flat_root_is_one_stage_without_a_name():
    assert stages(FlatRecipe) == {"": FlatRecipe}
    assert stages(MixedRecipe) == {"": MixedRecipe, "device": DeviceConfig}
    assert "" not in stages(TrackConfig)


def test_flags_of_a_flat_root_are_resolved(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text("epochs = 3\nmargin = 1\n")
    chosen, variables = parsed(FlatRecipe, "--margin", "0.5"), {"FIT_EPOCHS": "7", "MOT_CONF": "1"}
    assert resolve(FlatRecipe, chosen, file) == FlatRecipe(3, 0.5)
    assert resolve(FlatRecipe, chosen, file, variables, "FIT_") == FlatRecipe(7, 0.5)
    assert resolve(FlatRecipe, {}) == FlatRecipe()


def test_the_flags_of_all_stages_of_a_mixed_root_are_resolved():
    config = resolve(MixedRecipe, parsed(MixedRecipe, "--name", "x", "--device", "cpu"))
    assert config == MixedRecipe("x", DeviceConfig(device="cpu"))
    assert as_dict(config).keys() == {"name", *map(key_of, flag_fields(DeviceConfig))}
    assert as_dict(config)["name"] == "x"


@pytest.mark.parametrize(
    "config",
    [FlatRecipe(4, 0.25), MixedRecipe("a b", DeviceConfig(cpu=True)), TrackConfig()],
    ids=lambda config: type(config).__name__,
)
def test_what_is_printed_is_read_back(tmp_path, config):
    file = tmp_path / "run.toml"
    file.write_text(to_toml(config))
    assert resolve(type(config), {}, file) == config


def test_mistakes_name_the_place(tmp_path):
    file = tmp_path / "run.toml"
    for text, says in (
        ("epochs = 0", "--epochs must be 1 or more"),
        ("epochs = 'x'", "'epochs' in .* must be a whole number"),
        ("epoch = 3", "Unknown key 'epoch'"),
        ("[device]\nepochs = 3", "Unknown key 'device'"),
    ):
        file.write_text(text)
        with pytest.raises(UsageError, match=says):
            resolve(FlatRecipe, {}, file)
    with pytest.raises(UsageError, match="FIT_EPOCHS must be a whole number"):
        resolve(FlatRecipe, {}, None, {"FIT_EPOCHS": "many"}, "FIT_")


def test_a_setting_of_the_root_itself_belongs_to_no_table(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text("[device]\nname = 'x'")
    with pytest.raises(UsageError, match="not a setting of") as caught:
        resolve(MixedRecipe, {}, file)
    assert caught.value.fix == "Move it above all tables."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_changes_nothing(tmp_path, encoding):
    file = tmp_path / "run.toml"
    file.write_bytes("\ufeffepochs = 3\r\n".encode(encoding))
    assert resolve(FlatRecipe, {}, file) == FlatRecipe(3)
