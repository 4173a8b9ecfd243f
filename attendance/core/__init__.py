"""The pure core: arrays and facts in, facts out. The README beside this file is the rule."""
