"""The programs that `ehlo` is tried with, and everything that drives them."""
