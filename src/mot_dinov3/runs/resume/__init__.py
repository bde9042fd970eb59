"""The run journal: what a killed run can go on from.

While a run goes on, a hidden file beside its first output, the run journal, takes one record per
frame: what the models of the system answered, and a checksum of the tracks. `--resume` starts the
run again from its first frame. For the frames of the journal the recorder repeats the answers, so
that no model runs, and the tracks are compared with the checksums; after the last of them the
models are asked again and the journal grows on. All outputs are written anew on the way.

* `records`: a file of records that only grows, each with a checksum.
* `answers`: what one record of a frame holds.
* `contents`: reads a whole journal.
* `identity`: whether two runs are the same command on the same source with the same models.
* `place`: where the journal of a run lies, and which process may write it.
* `journal`: the journal of a run that goes on: first read, then written.
* `recorder`: stands between a system and its models, and records or repeats their answers.
* `journaled`: a system with a recorder and a journal, and the sink that writes the journal.
"""

from __future__ import annotations
