"""The live page of one run.   python -m utils.watch"""

from utils import exports

__getattr__ = exports(__name__, {"server": ("Server", "snapshot", "watch")})
