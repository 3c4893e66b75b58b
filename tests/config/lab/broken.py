raise RuntimeError("no licence\nfor this machine")
