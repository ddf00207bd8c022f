"""Every crash point, reached and failed at in every way: what remains must drain and add up.

`points` says which scenario reaches which place, `scenarios` plays them by the steps' own code, `place` is one process
of them and `ground` what they stand on, `cases` dies in forked children and lets the remaining steps finish, `report`
tells.
"""
