"""The networks that are trained here written out in numpy: what runs them for a user, without Keras.

The networks are defined and trained in `model`, in Keras, which takes seconds to import and to trace. What is here
reads the same weights and computes the same numbers, of one note at a time, and the slopes that a fit needs, each
checked against Keras' own by the tests.
"""
