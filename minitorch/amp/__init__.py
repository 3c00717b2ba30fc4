"""``torch.amp``: mixed precision. ``autocast`` chooses the dtype of each op, ``GradScaler`` keeps gradients in range.

    scaler = torch.amp.GradScaler()
    for images, labels in loader:
        optimizer.zero_grad()
        with torch.autocast("cuda"):  # products in float16, losses in float32
            loss = cross_entropy(model(images), labels)
        scaler.scale(loss).backward()
        scaler.step(optimizer)  # unscales the gradients; no step where one is infinite or nan
        scaler.update()

Which op is cast to what is a table: ``ops/autocast_policies.py``. The lower precision is float16.
"""

from minitorch.amp.autocast_mode import autocast, custom_bwd, custom_fwd, is_autocast_available
from minitorch.amp.grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]
