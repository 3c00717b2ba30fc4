"""The mathematics, op by op: table of contents.

Every public op is a function that checks its arguments and applies a ``Function`` (``autograd/function.py``): raw
arrays in, forward above backward. ``F.conv2d`` is in ``conv2d.py``, and so on; families of small ops share a file.

Element by element
    arithmetic         add, sub, mul, neg                 division       div, floor_divide, remainder, fmod
    power              pow, float_power                   exponential    expm1, exp2, log2, log10, log1p, logit
    elementwise        abs, sign, sqrt, exp, log, sigmoid, tanh
    trigonometry       sin … atanh, sinc                  rounding       floor, ceil, round, trunc, frac
    pairwise           atan2, hypot, xlogy, logaddexp     interpolation  lerp, addcmul, addcdiv
    clamping           clamp                              choice         where, maximum, minimum
    special, gamma     erf, erfinv, lgamma, digamma       comparison     eq … ge, isclose, isnan, logical_*
    bitwise            bitwise_and …, shifts
Activations
    activation         relu, leaky_relu, elu, prelu …     smooth_activation  gelu, silu, softplus, glu …
    hard_activation    hardtanh, relu6, hardswish …       softmax        softmax, log_softmax, softmin
Reductions and order
    reduction          sum, mean                          statistics     var, std, cov, corrcoef
    extremes           max, min, argmax, argmin           product        prod
    logsumexp          logsumexp                          truth          all, any, count_nonzero
    cumulative         cumsum, cumprod, cummax, diff      sorting        sort, argsort, topk
    median             median, kthvalue, mode, quantile   unique         unique, unique_consecutive
    histogram          bincount, histc                    norm, vector_norm, matrix_norm
Shape and views
    shape              reshape, view, flatten, squeeze, expand
    permutation        transpose, permute, movedim        strided        contiguous, as_strided, unfold
    joining            cat, stack                         splitting      split, chunk, unbind, narrow
    rearranging        flip, roll, repeat, tile           diagonal       diag, tril, triu
    combining          meshgrid, cartesian_prod           copying        clone
Indexing
    indexing           x[…]                               assignment     x[…] = y, index_put
    index_along        index_select, index_add            scatter        gather, scatter, scatter_add
    masking            masked_fill, take, nonzero         searching      searchsorted, bucketize
    embedding          embedding, one_hot                 filling        what fill_, copy_, normal_ record
Matrix products
    matmul             matmul, mm, bmm, mv, dot           addmm          addmm, baddbmm, addmv, addr
    linear             linear, bilinear                   einsum         einsum, tensordot, kron
    linear_algebra     inv, det, solve, cholesky          vector_products, multi_dot
    attention          scaled_dot_product_attention       multi_head_attention
Images
    conv2d             convolution: the story             conv2d_choice   … and its fast paths
    conv1d, conv_transpose2d                              unfold         unfold, fold (im2col, col2im)
    max_pool2d, avg_pool2d, adaptive_*, *1d               max_unpool2d   the inverse of max pooling
    pad                margins                            interpolate, pixel_shuffle: other sizes
Normalisation and dropout
    batch_norm, layer_norm, group_norm, instance_norm, local_response_norm; standardization is what they share
    dropout            dropout, alpha_dropout and their channel-wise forms
Sequences
    recurrent          the RNN, LSTM and GRU cells        ctc_loss       CTC
Losses
    nll_loss, cross_entropy, mse_loss, binary_cross_entropy, regression_loss, margin_loss, multi_margin_loss
    distance           cosine_similarity, pairwise_distance, cdist
What ops share
    promotion          torch's dtype rules                dims           axis numbers
    autocast           operands in mixed precision        autocast_policies  which op is cast to what
    operand, selection, windows, conv_arguments, loss_reduction, contraction, matmul_checks, transfer
"""
