"""The loop, EMA, checkpoints, the local session and the JSON-lines tracker."""

from wxexp.training.build import build as build, phase_parameters as phase_parameters
from wxexp.training.checkpoint import (
    Checkpoint as Checkpoint,
    State as State,
    best_checkpoint as best_checkpoint,
    last_checkpoint as last_checkpoint,
    load as load,
    read as read,
    read_state as read_state,
    write as write,
)
from wxexp.training.ema import EMA as EMA, decay as decay
from wxexp.training.loop import Interrupted as Interrupted, Progress as Progress, train as train
from wxexp.training.optimizers import schedule as schedule
from wxexp.training.session import LocalSession as LocalSession
from wxexp.training.tracker import JsonlTracker as JsonlTracker
from wxexp.training.work import Plan as Plan, work as work
from wxexp.training.validation import Scores as Scores, validate as validate
