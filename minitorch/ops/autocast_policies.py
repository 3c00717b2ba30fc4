"""Mixed precision, op by op: what ``amp.autocast`` does to the operands of each op, for each kind of device.

The lists are torch's (its "Autocast Op Reference", and ``ATen/autocast_mode.h`` and ``.cpp``), as far as the ops are
here. Where torch's op calls others that are in a list and ours computes in one go, ours is in it (``square`` calls
``pow`` there, ``cross_entropy`` ``log_softmax`` and ``nll_loss``). An op that is in no list computes in the dtype of
its operands; so do in-place ops and ``out=``. float64 and integers are never cast. Read by ``autocast.py``.

The layers rnn, lstm and gru are cuDNN's for CUDA, and oneDNN's lstm for the CPU; upsample is ``interpolate`` but for
areas; rdiv is number / tensor.

LOWER          products, which are fast in the lower precision: operands are cast to it
FLOAT32        ops that need digits or range: operands are cast to float32
FLOAT32_RESULT such ops with an argument ``dtype``: it is float32, unless the caller gives one
WIDEST         operands are cast to the widest dtype among them: the lower precision, or float32
BANNED         raises an error that says what to use instead
"""

from __future__ import annotations

LOWER, FLOAT32, FLOAT32_RESULT, WIDEST, BANNED = "lower", "float32", "float32 result", "widest", "banned"


def _table(**lists: str) -> dict[str, str]:
    """{op: policy} of one string of names a policy."""
    policies = {
        "lower": LOWER,
        "float32": FLOAT32,
        "float32_result": FLOAT32_RESULT,
        "widest": WIDEST,
        "banned": BANNED,
    }
    return {name: policies[key] for key, names in lists.items() for name in names.split()}


POLICIES = {
    "cuda": _table(
        lower="""
            conv1d conv2d conv_transpose1d conv_transpose2d linear matmul mm mv bmm addmm addmv addr baddbmm addbmm
            einsum vecdot chain_matmul multi_dot scaled_dot_product_attention prelu
            rnn lstm gru rnn_cell lstm_cell gru_cell
        """,
        float32="""
            exp expm1 log log2 log10 log1p pow square reciprocal rdiv rsqrt
            tan acos asin sinh cosh erfinv softplus
            layer_norm rms_norm group_norm renorm dist cdist pdist cosine_similarity logsumexp
            cross_entropy nll_loss mse_loss l1_loss smooth_l1_loss huber_loss kl_div poisson_nll_loss
            margin_ranking_loss hinge_embedding_loss soft_margin_loss triplet_margin_loss multi_margin_loss
            multilabel_margin_loss cosine_embedding_loss binary_cross_entropy_with_logits upsample
        """,
        float32_result="sum prod cumsum cumprod softmax log_softmax norm vector_norm matrix_norm",
        widest="addcdiv addcmul atan2 bilinear cross dot inner vdot index_put tensordot scatter_add",
        banned="binary_cross_entropy",
    ),
    "cpu": _table(
        lower="""
            conv1d conv2d conv_transpose1d conv_transpose2d linear matmul mm bmm addmm baddbmm addbmm
            vecdot scaled_dot_product_attention prelu lstm
        """,
        float32="""
            prod trace quantile nanquantile cdist max_unpool2d avg_pool3d
            reflection_pad1d reflection_pad2d replication_pad1d replication_pad2d replication_pad3d
            inv solve cholesky
            cross_entropy nll_loss mse_loss l1_loss smooth_l1_loss huber_loss kl_div poisson_nll_loss
            margin_ranking_loss hinge_embedding_loss soft_margin_loss triplet_margin_loss multi_margin_loss
            multilabel_margin_loss cosine_embedding_loss binary_cross_entropy binary_cross_entropy_with_logits ctc_loss
        """,
        widest="cat stack index_copy",
    ),
}
