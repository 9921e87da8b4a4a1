"""The first version of somebody's plugin: templates of a package for each kind, and what fills them."""
