# The cloud's image has the package qcloud_cos under this name too. These are the same modules, and no
# copies: an error that one name raises is caught by the other.
import importlib
import importlib.abc
import importlib.util
import sys

import qcloud_cos


class SameModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self):
        self.specs = {}

    def find_spec(self, name, path=None, target=None):
        if name.startswith("qcloud_cos_v5."):
            return importlib.util.spec_from_loader(name, self)
        return None

    def create_module(self, spec):
        module = importlib.import_module(spec.name.replace("qcloud_cos_v5", "qcloud_cos", 1))
        self.specs[module.__name__] = module.__spec__
        return module

    def exec_module(self, module):
        # The import has given it the name that it was asked for.
        module.__spec__ = self.specs[module.__name__]


# Before the finder of files, which would load each file a second time.
sys.meta_path.insert(0, SameModules())
sys.modules[__name__] = qcloud_cos
