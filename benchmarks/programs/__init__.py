"""The training programs that ``benchmarks/train.py`` runs: from images on disk to a saved, evaluated network.

Reading order: networks.py (what is trained), recipes.py (a program is a network with its data, loss, optimizer and
schedule), data.py (images into batches), contestant.py (a network in one library, and its steps), training.py (the
loop), randomness.py, checkpoints.py and interrupts.py (stopping and going on), stages.py and transfer.py (a trained
network learns another task), reports.py, logs.py and progress.py (what is printed, drawn and logged), options.py and
commands.py (the command line).
"""
