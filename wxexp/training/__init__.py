"""The loop, EMA, checkpoints, the local session and the JSON-lines tracker."""
