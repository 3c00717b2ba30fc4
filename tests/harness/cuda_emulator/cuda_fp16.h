// All of it that is emulated is in cuda_emulator.h, which has been included before any kernel file.
