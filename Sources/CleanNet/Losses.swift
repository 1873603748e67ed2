import Torch

// The terms of the objectives, each a value per image, `[B]`. Symbols as in method.md.

/// L_sup: `1 − cos` where the label is right, `ω · max(0, cos − ρ)` where it is wrong.
///
/// - Parameters:
///   - cosine: The image's cosine with the class of its label, `[B]`.
///   - right: Verification labels, `[B]`, bool.
package func supervisedLoss(_ cosine: Tensor, right: Tensor, margin: Double, wrong: Double) -> Tensor {
  right.select(1 - cosine, else: (cosine - margin).relu() * wrong)
}

/// L_unsup: the supervised loss with the pseudo verification label `cos ≥ ρ`.
package func pseudoVerificationLoss(_ cosine: Tensor, margin: Double, wrong: Double) -> Tensor {
  supervisedLoss(cosine, right: cosine.detached() .>= margin, margin: margin, wrong: wrong)
}

/// L_rec: `‖v_q − v_r‖²` on the normalized features, `[B, D]` each.
package func reconstructionLoss(_ features: Tensor, _ restored: Tensor) -> Tensor {
  (features - restored).squared().sum(dim: 1)
}

/// Cross-class negatives: the mean over the classes other than the own of `max(0, A_ic − ρ)`.
///
/// - Parameters:
///   - cosines: A, `[B, C]`.
///   - beliefs: How far each class is the image's own: 1 at its label, or soft; `[B, C]`, float32.
package func crossClassLoss(_ cosines: Tensor, beliefs: Tensor, margin: Double) -> Tensor {
  let others = (cosines - margin).relu() * (1 - beliefs)
  return others.sum(dim: 1) / Double(max(1, cosines.size(1) - 1))
}

/// Generalised cross entropy of `softmax(A / T)`: `(1 − p^q) / q` at the own class (Zhang & Sabuncu 2018, eq. 6), in
/// the mean over the classes that may be it.
package func generalizedCrossEntropy(
  _ cosines: Tensor, beliefs: Tensor, temperature: Double, robustness q: Double
) -> Tensor {
  let logProbability = (cosines / temperature).logSoftmax(dim: 1)
  let losses = q == 0 ? -logProbability : (1 - (logProbability * q).exp()) / q
  return (losses * beliefs).sum(dim: 1)
}

extension LossWeights {
  /// The objective of one batch, averaged over its images.
  ///
  /// - Parameters:
  ///   - cosines: A, `[B, C]`, with the classes at hand.
  ///   - own: 1 at the class of each image's noisy label, else 0: `[B, C]`, float32.
  ///   - beliefs: How far each class is held to be the image's own, `[B, C]`; nil: as the noisy label says.
  ///   - verified: 1 where an image was verified, else 0: `[B]`, float32.
  ///   - right: The verification label if there is one, `[B]`, bool.
  ///   - reconstruction: L_rec, `[B]`.
  package func total(
    cosines: Tensor, own: Tensor, beliefs: Tensor? = nil, verified: Tensor, right: Tensor,
    reconstruction restored: Tensor
  ) -> Tensor {
    let beliefs = beliefs ?? own
    let cosine = (cosines * own).sum(dim: 1)
    let unverified = 1 - verified
    var loss = supervisedLoss(cosine, right: right, margin: margin, wrong: wrong) * verified
    loss = loss + restored * reconstruction
    if pseudo > 0 {
      loss = loss + pseudoVerificationLoss(cosine, margin: margin, wrong: wrong) * unverified * pseudo
    }
    if negatives > 0 { loss = loss + crossClassLoss(cosines, beliefs: beliefs, margin: margin) * negatives }
    if positives > 0 {
      let pull = generalizedCrossEntropy(
        cosines, beliefs: beliefs, temperature: temperature, robustness: robustness)
      loss = loss + pull * unverified * positives
    }
    return loss.mean()
  }
}
