"""The run journal: what a killed run can go on from.

While a run goes on, a hidden file beside its first output, the run journal, takes one record per
frame: what the models of the system answered, and a checksum of the tracks. `--resume` starts the
run again from its first frame. For the frames of the journal the recorder repeats the answers, so
that no model runs, and the tracks are compared with the checksums; after the last of them the
models are asked again and the journal grows on. All outputs are written anew on the way.

One frame, as `journaled` goes through it::

    known = journal.read_next(frame)  # the answers that the journal holds, or None
    recorder.begin(frame, known)      # from now on it repeats these, or takes down new ones
    result = system.step(frame)       # the system asks its models through the recorder
    # known answers: compare `result.tracks` with their checksum
    # new answers: `JournalSink` appends them to the journal

* `journaled`: a system with a recorder and a journal, and the sink that writes the journal.
* `recorder`: stands between a system and its models, and records or repeats their answers.
* `journal`: the journal of a run that goes on: first read, then written.
* `place`: where the journal of a run lies, and which process may write it.
* `identity`: whether two runs are the same command on the same source with the same models.
* `contents`: reads a whole journal.
* `answers`: what one record of a frame holds.
* `records`: a file of records that only grows, each with a checksum.
"""

from __future__ import annotations
