"""Experiments of several runs, one after the other: each begins with what the last one learnt."""
