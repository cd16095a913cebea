"""The emulator of AWS: ministack in a process of its own, patched so that it keeps its data.

`process` starts it. `__main__`, `patches`, `journal` and `mail` run in the virtual environment of
the emulator, so they import ministack and the standard library only.
"""
