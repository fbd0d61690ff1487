"""The programs with which `ehlo` is tested, and the code that drives them."""
