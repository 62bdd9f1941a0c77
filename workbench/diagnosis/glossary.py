"""The lecture's terms in a few words, and where the program does otherwise: for tooltips and help."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """A term.

    Attributes:
        name: as it is written in a sentence.
        text: what it means, one to three sentences.
        ours: how the program differs from the lecture, empty where it does not.
    """

    name: str
    text: str
    ours: str = ""


_TERMS = (
    Term(
        "error",
        "For classes the share of wrong answers. For several labels the share of an example's labels that is wrong, on"
        " average over the examples. For numbers the share of variance that is left unexplained, 1 -"
        " R²: 0 is perfect, 1 is no better than always predicting the training set's mean.",
        "The lecture compares errors as if they were exact. On n examples they are not: every error here has its"
        " 95 % interval, and where intervals leave a question open, the answer is “undecided”.",
    ),
    Term(
        "interval",
        "Where the true value lies, in 95 of 100 such measurements. For error rates it is Wilson's score"
        " interval, of several labels Wilson's for as many independent answers as would vary as much from example to"
        " example, for differences Newcombe's, for numbers the bootstrap's.",
        "The lecture has none. 4 % on 1,000 examples may as well be 3 or 5 %.",
    ),
    Term(
        "human-level error",
        "The error of the best team of experts. It stands for the lowest error known to be possible and reflects"
        " the quality of the data.",
    ),
    Term(
        "Bayes error",
        "The error that nobody and nothing can get below, because some examples are too blurred, noisy or"
        " contradictory. It is at most the human-level error; where people made the labels, often equal to it.",
    ),
    Term(
        "bias",
        "Training error minus Bayes error: how far the model is from fitting its training examples as well as"
        " possible.",
        "Without a human-level or Bayes error there is no bias to speak of; the program then shows the training"
        " error under its own name. The lecture's Examples 1–4 call 12 % “high bias”, which assumes a Bayes error"
        " near 0.",
    ),
    Term(
        "avoidable bias",
        "Training error minus human-level error: the part of the training error that people show to be avoidable."
        " Where a human level is known, it decides about high or low bias.",
    ),
    Term(
        "variance",
        "Dev error minus training error: how much worse the model does on examples it has not learned from.",
        "Model B's variance is printed as 0.8 % in the lecture; 4.0 % - 3.5 % is 0.5 points.",
    ),
    Term(
        "tolerance",
        "A gap above it counts as high. The lecture's examples draw the line between 1 and 2.8 points; 1.5 is the"
        " default.",
    ),
    Term(
        "surpassing human level",
        "A training error below the human-level error. How much bias could still be avoided is not known then. It"
        " happens with recommendations, advertising, logistics, loans: large tables that people cannot overlook.",
        "The training error alone may also be low because examples were learned by heart; the dev error tells.",
    ),
    Term(
        "training set",
        "The examples whose errors change the weights.",
    ),
    Term(
        "dev set",
        "Examples that training does not see, by which models and hyperparameters are chosen; also called"
        " validation set.",
    ),
    Term(
        "test set",
        "Examples kept for the end, to check a finished model. Choosing by it makes it a dev set.",
    ),
    Term(
        "overfitting to the dev set",
        "A test error above the dev error: choices were fitted to the dev set. A bigger dev set helps.",
        "True only if both sets come from the same distribution; the program says so only then.",
    ),
    Term(
        "overfitting",
        "The model learns its training examples by heart: low training error, high variance.",
    ),
    Term(
        "underfitting",
        "The model does not even fit its training examples: high bias.",
    ),
    Term(
        "data mismatch",
        "Dev errors differ by distribution because training has seen only some of them: train < dev1 < dev < dev2.",
        "A distribution that is harder although training has seen its share of it is named as such, not as a mismatch.",
    ),
    Term(
        "distribution",
        "Where examples come from: a scanner, a shop, a country. Train, dev and test set need the same mixture of"
        " them.",
    ),
    Term(
        "chain of goals",
        "Fit the training set, then the dev set, then the test set, then the real world: four gates, worked on in"
        " this order.",
    ),
    Term(
        "orthogonalization",
        "Tuning with knobs that each move one thing, like a drone's, instead of a joystick that moves all. Every"
        " advice here changes exactly one setting.",
    ),
    Term(
        "early stopping",
        "End training when the dev error no longer improves, and keep the best weights.",
        "The lecture lists it for the training set, too. It acts on bias and variance at once, so it is no"
        " orthogonal knob; the program lists it for the dev set.",
    ),
    Term(
        "regularization",
        "Anything that keeps a model from following single examples: L2, dropout, augmentation. It trades bias"
        " for variance.",
    ),
    Term(
        "L2",
        "Adds 0.5 · l2 · (sum of squared weights) to the loss, which pulls weights towards 0 and the function"
        " towards a smooth one.",
        "The program's l2 is the lecture's λ/m, counted once in the update (the lecture's line has it twice); the"
        " squared norm has no root, and it is summed over layers.",
    ),
    Term(
        "weight decay",
        "Takes a share of each weight away in every step. For plain SGD the same as L2; for Adam it is not, which"
        " is why AdamW exists.",
    ),
    Term(
        "dropout",
        "Switches units off at random while training, so that none relies on another.",
        "Inverted: the units that stay are scaled up in training, so that nothing needs to change for predictions.",
    ),
    Term(
        "augmentation",
        "Random changes of training examples (rotate, scale, shift, noise...) that do not change what they are.",
    ),
    Term(
        "transfer learning",
        "Starting from weights that were learned on a similar, usually larger task.",
        "What was taken over may be frozen, so that only the rest learns.",
    ),
    Term(
        "precision",
        "TP / (TP + FP): of the examples the model says are of a class, the share that is.",
    ),
    Term(
        "recall",
        "TP / (TP + FN): of the examples of a class, the share the model finds. Also sensitivity, true positive rate.",
        "The lecture's sentence divides by all examples; its formula is right.",
    ),
    Term(
        "F1",
        "The harmonic mean of precision and recall, 2 TP / (2 TP + FN + FP): high only if both are.",
    ),
    Term(
        "F-beta",
        "F1 where recall counts beta times as much as precision.",
    ),
    Term(
        "specificity",
        "TN / (TN + FP): of the examples of other classes, the share the model leaves alone.",
    ),
    Term(
        "prevalence",
        "P / ALL: the share of examples that are of a class.",
        "Printed as PP / ALL in the lecture, which is the share the model says is of the class.",
    ),
    Term(
        "likelihood ratio",
        "LR+ = TPR / FPR and LR- = FNR / TNR: how much an answer for or against a class changes its odds.",
    ),
    Term(
        "diagnostic odds ratio",
        "LR+ / LR- = (TP · TN) / (FP · FN).",
    ),
    Term(
        "macro average",
        "The mean of a figure over the classes, each counting alike.",
        "Classes for which the figure is undefined (0 / 0) are left out and counted; they are never taken for 0.",
    ),
    Term(
        "micro average",
        "Of several labels: a figure of all labels' answers counted together, so that frequent labels count most.",
    ),
    Term(
        "multilabel",
        "Several labels an example may have at once, each a yes or no of its own. A label that is not known counts"
        " neither in the loss nor in a figure.",
        "The error is the mean share of an example's labels that is wrong (Hamming loss); the share of examples with"
        " any wrong label (1 - exact match) stands beside it. Where labels are rare, compare with always saying no.",
    ),
    Term(
        "harmonic mean",
        "n / (1/x1 + ... + 1/xn): near the smallest value, so one bad class shows.",
    ),
    Term(
        "confusion matrix",
        "How often examples of each true class (rows) were taken for each class (columns).",
    ),
    Term(
        "calibration error",
        "The mean distance between how sure a model is and how often it is right, over 15 bins of confidence (ECE).",
    ),
    Term(
        "ROC AUC",
        "The chance that a random example of a class scores above a random other one; 0.5 is guessing.",
    ),
    Term(
        "ceiling",
        "By how much the error would fall if all mistakes of one kind were mended: the most that work on it can give.",
    ),
    Term(
        "optimizing and satisfying",
        "One figure is made as good as possible (accuracy), others only good enough (time below 100 ms).",
    ),
    Term(
        "Panda strategy",
        "Babysitting one model: look at it, change one thing, look again.",
    ),
    Term(
        "Caviar strategy",
        "Training many models with different hyperparameters side by side and keeping the best.",
    ),
    Term(
        "hyperparameter",
        "What the developer sets and training does not change: layers, units, learning rate, regularization.",
    ),
    Term(
        "parameter",
        "What training adjusts: weights, biases, scales of batch normalization.",
    ),
    Term(
        "epoch",
        "One pass over the training set.",
    ),
    Term(
        "mini-batch",
        "The examples that one step is computed from, usually 32 to 2,048.",
        "Weights are updated after each mini-batch; the lecture's pseudocode does so only after all of them.",
    ),
    Term(
        "learning rate",
        "The size of a step (alpha). The most important hyperparameter; change it by factors.",
    ),
    Term(
        "range test",
        "Finds a learning rate: it rises from step to step on a copy of the network. Good ones lie where the loss falls"
        " fastest; where it explodes they are too large.",
        "L. N. Smith, 2017. A tenth of the rate of the lowest loss is the other common choice.",
    ),
    Term(
        "momentum",
        "Steps along a moving average of gradients: what points to and fro cancels, what points one way adds up.",
        "The usual form leaves (1 - β) out, which makes steps 1 / (1 - β) times longer at the same rate; with"
        " dampening = β it is the lecture's form.",
    ),
    Term(
        "Adam",
        "Momentum and RMSprop together: a moving average of gradients, divided by that of their size.",
        "Raw averages are kept and copies corrected (fed back, as the lecture prints it, they explode), and"
        " epsilon stands outside the root.",
    ),
    Term(
        "RMSprop",
        "Gradients divided by the root of the moving average of their squares: steps of like size in all directions.",
        "With 1e-8 added to the root, which the lecture leaves out, so that nothing is divided by 0.",
    ),
    Term(
        "exponentially weighted average",
        "v := β v + (1 - β) x: averages over about 1 / (1 - β) values. Curves are smoothed by it, with bias"
        " correction.",
        "A smoother, not an optimizer; the correction is applied to a copy.",
    ),
    Term(
        "batch normalization",
        "Brings what enters a layer to mean 0 and deviation 1 over the mini-batch, then scales and shifts it by"
        " trained numbers.",
        "For predictions it uses running averages of mean and variance.",
    ),
    Term(
        "normalization",
        "Shifting and scaling attributes to comparable ranges, by figures of the training set only.",
        "Centered before the deviation is taken; a column that never changes is left alone.",
    ),
    Term(
        "initialization",
        "Random first weights with mean 0, scaled so that signals neither fade nor explode: He for ReLU, Glorot"
        " for tanh.",
        "The lecture's random numbers from 0 to 1 would saturate tanh. Its sqrt(1/n), there called Xavier, is"
        " LeCun's; Xavier Glorot's is sqrt(2/(n_in + n_out)).",
    ),
    Term(
        "learning rate decay",
        "A learning rate that becomes smaller over the epochs, so that weights settle.",
        "The square-root decay counts epochs from 1, as it is infinite at 0.",
    ),
    Term(
        "saddle point",
        "A place where the gradient is 0 that is no minimum. A plateau is a flat region; the gradient alone"
        " cannot tell them apart.",
    ),
    Term(
        "vanishing and exploding gradients",
        "Gradients that shrink or grow from layer to layer on the way back, so that early layers learn nothing or"
        " jump.",
    ),
    Term(
        "dead unit",
        "A unit whose function gives nothing, whatever the example: no gradient passes it, so it stays so. Typical of"
        " relu after steps that were too large.",
        "Told of examples that were looked at while training: on how many stands beside it.",
    ),
    Term(
        "saturation",
        "Values so large that tanh or sigmoid is flat there: hardly any gradient passes.",
        "Flat means within 0.03 of the function's bounds.",
    ),
    Term(
        "pre-activation",
        "What an activation function is given: the weighted sum. Small weights keep it near 0, where tanh and sigmoid"
        " are all but straight, so the network is nearly linear; that is how L2 simplifies it. Far from 0 they are"
        " flat, and gradients vanish.",
        "Each column is the histogram of a sample of an epoch's values, strongest where most values lie.",
    ),
    Term(
        "spread of weights",
        "How large a layer's weights are. Weight decay (L2) narrows it; small weights make pre-activations small and"
        " so the network nearly linear.",
        "Each column is the histogram of a sample of a layer's weights after an epoch.",
    ),
    Term(
        "softmax",
        "exp(z) over its sum: turns outputs into probabilities that add up to 1.",
        "The largest output is subtracted first, so that nothing overflows.",
    ),
    Term(
        "cross-entropy",
        "-log of the probability given to the true class.",
    ),
    Term(
        "sigmoid",
        "1 / (1 + exp(-z)): turns each output into a probability of its own, for labels of which several may be there.",
    ),
    Term(
        "example strength",
        "How much an example counts in training: J = sum of s_i L_i over sum of s_i.",
    ),
    Term(
        "attribute strength",
        "A factor on a normalized attribute; 0 leaves it out.",
        "A first layer can undo a scale by larger weights, so it weakens an attribute without ruling it out.",
    ),
    Term(
        "mislabeled examples",
        "Examples with a wrong label. Below about 10 % they can be found among a trained model's mistakes and mended.",
        "The lecture prints “not too big (> 10 %)” and means below 10 %.",
    ),
)

GLOSSARY: dict[str, Term] = {term.name.lower(): term for term in _TERMS}
"""All terms by their name in lower case."""


def term(name: str) -> Term | None:
    """A term by name, whatever its case; None where it is not known."""
    return GLOSSARY.get(name.lower().replace("_", " "))
