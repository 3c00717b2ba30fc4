"""Train the networks of the notes, minitorch alone or beside torch, from images on disk to a saved network.

    python benchmarks/train.py
    python benchmarks/train.py --epochs 20 --plot losses.png
    python benchmarks/train.py --seeds 5
    python benchmarks/train.py --program mlp --data ~/data --checkpoint mlp.pt --logdir runs --plots plots

By default LeNet learns handwritten digits in both libraries, from the same seed and step by step: both draw the same
weights and see the same batches, so their losses lie on one another until rounding drives them apart. --program
chooses another network. The data are scikit-learn's digits, 1,797 scans of 8×8 pixels, enlarged to what the network
was made for, or the original files of MNIST, FashionMNIST or CIFAR-10, or folders of images, in the folder --data.
Ctrl-C saves the run; --checkpoint FILE --resume goes on with it, bit for bit.
"""

from __future__ import annotations

import sys
from pathlib import Path

# A benchmark is run as a script (python benchmarks/train.py): its parent folder is the project.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.programs import commands

if __name__ == "__main__":
    commands.main(description=__doc__)
