"""What the checks of the exercises demand: a file a chapter, a function an exercise.

    exercises.check_1(c, answer, ...)       prints "correct", or the hint of the first broken rule

A notebook calls it and holds no answer; the folded solution is held to `must_pass=True`.
"""
