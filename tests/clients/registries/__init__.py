"""Where client libraries come from. Each module has `install(libraries, below)`, which yields for each library
what is needed to run its driver, or a pair of the library and the reason why it cannot be used.
"""
