// Automatic differentiation.

extension Tensor {
  /// Whether operations on this tensor are recorded, so that ``backward()`` reaches it.
  public var requiresGradient: Bool {
    get { Engine.functions.requires_grad(handle) }
    set { Tensor.check("requiresGradient", Engine.functions.set_requires_grad(handle, newValue)) }
  }

  /// The gradient that ``backward()`` left here, if any.
  public var gradient: Tensor? { Engine.functions.grad(handle).map(Tensor.init(handle:)) }

  /// Forgets the gradient.
  public func clearGradient() { Engine.functions.clear_grad(handle) }

  /// Adds the derivatives of this scalar to the gradient of every tensor that it depends on and that requires one.
  public func backward() { Tensor.check("backward", Engine.functions.backward(handle)) }

  /// The same elements, outside the graph.
  public func detached() -> Tensor { Tensor.wrap("detached", Engine.functions.detach(handle)) }
}

/// Runs `body` without recording operations on this thread: faster, and with less memory.
public func withoutGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
  let functions = Engine.functions
  let before = functions.grad_enabled()
  functions.set_grad_enabled(false)
  defer { functions.set_grad_enabled(before) }
  return try body()
}
