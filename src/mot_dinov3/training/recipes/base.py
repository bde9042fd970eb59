"""What a recipe is: it says what is learned, and the engine knows how learning runs.

A recipe never loops, logs, saves or moves tensors to a device. The file that the table of recipes
names imports torch inside of its methods only, so that its flags can be listed without torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar, cast

from mot_dinov3.config.fields import flag, require
from mot_dinov3.io.checkpoint import CheckpointConfig

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

Data = TypeVar("Data")
Batch = TypeVar("Batch")
Made = TypeVar("Made", covariant=True)

SCHEDULES = ("cosine", "linear", "constant")
AMP_CHOICES = ("auto", "off", "bf16", "fp16")
AVERAGED_STEPS = 200
"""What a bare `--ema` means."""
ALL = "all"
"""The turn of a recipe with one optimizer."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a model reaches on data that it does not learn from.

    Attributes:
        values: figures of merit by name.
        best: the name of the figure that decides which checkpoint is kept.
        higher_is_better: whether a larger figure is the better one.
        thresholds: settings that this model is best used with, such as {"cosine_gate": 0.62}.
    """

    values: Mapping[str, float]
    best: str
    higher_is_better: bool = True
    thresholds: Mapping[str, float] = field(default_factory=dict)

    @property
    def merit(self) -> float:
        """The figure that decides, with its sign turned where less is better."""
        value = self.values[self.best]
        return value if self.higher_is_better else -value


class BatchSource(Protocol[Made]):
    """An endless supply of batches that can go on where it was stopped."""

    def batch(self, number: int) -> Made:
        """The batch of this number; the engine asks for rising numbers and never twice for one."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """What decides all later batches: numbers, texts, tensors, and lists and dicts of them."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where the supply was that this state was taken from."""
        ...


class NumberedBatches(Generic[Batch]):
    """Batches that are a function of their number, and so have no state."""

    def __init__(self, make: Callable[[int], Batch]) -> None:
        self._make = make

    def batch(self, number: int) -> Batch:
        """The batch of this number."""
        return self._make(number)

    def state_dict(self) -> dict[str, Any]:
        """Nothing: the number says all."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to restore."""


@dataclass(frozen=True, slots=True)
class Continuation:
    """How a recipe learns on from another run.

    Attributes:
        out: the folder of the new run, where the user names none.
        chosen: values of the recipe's fields.
    """

    out: str
    chosen: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Recipe(ABC, Generic[Data, Batch]):
    """One thing that can be learned; the fields are what the engine needs to know, and flags.

    A recipe adds fields of its own, and gives these other defaults with `new_default`. `Data` is
    what it learns from and is measured on, `Batch` what one step looks at: a tensor, or a dict,
    list or tuple of tensors and other values.
    """

    steps: int = flag(1000, "--steps", "steps of the optimizer", metavar="STEPS")
    seed: int = flag(0, "--seed", "decides weights, batches and augmentation", metavar="NUMBER")
    rate: float = flag(1e-3, "--rate", "highest learning rate", metavar="RATE")
    decay: float = flag(1e-2, "--decay", "weight decay of matrices and kernels", metavar="DECAY")
    schedule: str = flag(
        "cosine", "--schedule", "how the learning rate falls after the warm-up", choices=SCHEDULES
    )
    warm_up: int = flag(100, "--warm-up", "steps until the rate is at its highest", metavar="STEPS")
    accumulate: int = flag(1, "--accumulate", "batches that make up a step", metavar="COUNT")
    clip: float = flag(0.0, "--clip", "longest gradient, 0 = any", metavar="LENGTH")
    ema: int = flag(
        0,
        "--ema",
        "steps that the kept weights are averaged over, 0 = none",
        metavar="STEPS",
        bare=AVERAGED_STEPS,
    )
    amp: str = flag(
        "auto",
        "--amp",
        "short numbers: auto takes bf16 or fp16 on a GPU and none on "
        "a CPU, so that results can be repeated",
        choices=AMP_CHOICES,
    )
    evaluate_every: int = flag(
        0, "--evaluate-every", "steps between evaluations, 0 = only at the end", metavar="STEPS"
    )
    patience: int = flag(
        0,
        "--patience",
        "end after so many evaluations without a better one, 0 = never",
        metavar="COUNT",
    )
    checkpoint_every: int = flag(
        100,
        "--checkpoint-every",
        "steps between states that --resume goes on from",
        metavar="STEPS",
    )
    log_every: int = 10
    fewest_steps: ClassVar[int] = 1
    """0 for a recipe that counts steps another way where none are given."""

    def __post_init__(self) -> None:
        self.require_least(1, "accumulate", "checkpoint_every", "log_every")
        self.require_least(self.fewest_steps, "steps")
        self.require_least(0, "seed", "warm_up", "ema", "evaluate_every", "patience")
        self.require_least(0, "rate", "decay", "clip")

    def require_least(self, least: int, *names: str) -> None:
        """Refuse a field that is below its least value.

        Raises:
            UsageError: it names the flag.
        """
        for name in names:
            value = getattr(self, name)
            require(value >= least, f"--{name.replace('_', '-')}", f"at least {least}", value)

    @property
    @abstractmethod
    def kind(self) -> str:
        """The kind of checkpoint that this recipe makes; also tells its runs from others."""

    @abstractmethod
    def open_data(self) -> Data:
        """What the recipe learns from and is measured on.

        Raises:
            InputError: it is not there, or is not what the recipe can learn from.
        """

    @abstractmethod
    def build(self, data: Data) -> nn.Module:
        """The model with the weights that learning begins with, on the CPU."""

    @abstractmethod
    def batches(self, data: Data, rank: int) -> BatchSource[Batch]:
        """An endless supply of batches, on the CPU.

        Args:
            data: what the recipe learns from.
            rank: number of this process, 0 if there is one. A supply with a state must give
                every process other batches; numbers differ by themselves.
        """

    @abstractmethod
    def loss(self, model: nn.Module, batch: Batch, turn: str) -> Mapping[str, Tensor]:
        """Named terms; the engine adds them up, logs each, and steps.

        Args:
            model: in training mode.
            batch: on the model's device.
            turn: whose turn it is, a name from `optimizers`.
        """

    @classmethod
    def begin_from(cls, chosen: Mapping[str, Any], folder: str) -> Continuation | None:
        """How the run in `folder` is learned on from; None where it is gone on with instead.

        Args:
            chosen: values of the fields that the user gave.
            folder: what `--resume` names.
        """
        return None

    def count_steps(self, data: Data) -> int:
        """How many steps to take; a recipe that counts epochs works it out from its data."""
        return self.steps

    def count_evaluation_steps(self, data: Data) -> int:
        """How many steps lie between evaluations; 0 to measure only at the end."""
        return self.evaluate_every

    def optimizers(self, model: nn.Module) -> Mapping[str, Optimizer]:
        """Turn -> what takes a step then; every step takes all turns, in this order.

        The rate that a group of parameters is given here is its highest.
        """
        from torch.optim import AdamW

        from mot_dinov3.training.schedule import group_parameters

        return {ALL: AdamW(group_parameters(model, self.decay), lr=self.rate)}

    def evaluate(self, model: nn.Module, data: Data) -> Assessment | None:
        """What the model, in evaluation mode, reaches on data kept apart; None to measure nothing.

        Without an assessment the last weights are the best.
        """
        return None

    @abstractmethod
    def describe(self, data: Data) -> CheckpointConfig:
        """What a program must know of the model; the engine adds settings and thresholds."""

    def weights_of(self, model: nn.Module) -> Mapping[str, Tensor]:
        """The weights that a checkpoint holds; a recipe leaves out what users have anyway."""
        return cast("Mapping[str, Tensor]", model.state_dict())


@dataclass(frozen=True, slots=True)
class Suite(ABC):
    """Several recipes that are trained side by side, a process each, and measured together.

    The fields that a suite adds are flags, as those of a recipe are.
    """

    @abstractmethod
    def recipes(self) -> Mapping[str, Recipe[Any, Any]]:
        """Name of the part, which is also its folder inside the run's -> its recipe."""

    @abstractmethod
    def finish(self, out: Path, minutes: float) -> list[Path]:
        """Measure the trained parts; returns the files and folders that were made.

        Args:
            out: the folder of the run.
            minutes: how long training took.
        """


def new_default(base: type, name: str, default: Any) -> Any:  # noqa: ANN401 - see `flag`
    """A flag field of `base` with another default, for a class that inherits from it."""
    item = next(item for item in fields(base) if item.name == name)
    return field(default=default, metadata=item.metadata)
