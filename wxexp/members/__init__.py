"""Drawing members and writing members.zarr."""
