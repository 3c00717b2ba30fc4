"""Automatic differentiation: ``Variable`` (state), ``Function`` (an op and its node), the engine, and torch's face.

Read in this order: variable.py, function.py, engine.py, inplace.py.
"""

from minitorch.autograd.anomaly import detect_anomaly, set_detect_anomaly
from minitorch.autograd.custom_function import CustomFunction as Function
from minitorch.autograd.entrance import backward, grad
from minitorch.autograd.grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from minitorch.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck

__all__ = [
    "Function",
    "GradcheckError",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]
