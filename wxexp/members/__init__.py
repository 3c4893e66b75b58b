"""Drawing members and writing members.zarr.

    draw.draw                 the ensemble of an experiment: finds missing work items, hands them to an Executor
    drawer.Drawer             one work item, an initial time x a chunk of members, from noise to the store
    store.Store               members.zarr
    executor.LocalExecutor    work items in this process
    rows.Rows, tiles.Tiles    wrappers of networks: always so many rows; tile by tile

Nothing is imported here, so that a worker process starts in no time and imports only what its factory needs.
"""
