"""Many sounds at once: a spec in YAML, or patches, to a folder of sounds with a manifest.

`spec` declares the YAML (`marked` reads it with its lines; `values`, `morphs`, `variants`, `velocities`, `output` are
its parts), `origins` finds its notes, `plan` says which sounds it comes to, `naming` what their files are called. `run`
carries a plan out: `executors` hand tasks to `worker`s, `notes` keeps what was listened to, `manifest` what was made,
with its `descriptors`; `estimate` says beforehand what it takes. `errands` are what other rooms let executors do.
"""
