import CTorch
import Foundation

/// TorchScript, PyTorch's format for networks that run without the code that made them: `torch.jit.load(path)` in Python,
/// `torch::jit::load` in C++.
package enum TorchScript {
  /// Writes what `forward` does with a tensor, as libtorch records it while it does so with `example`.
  ///
  /// The operations must be the same for every input: anything that Swift decides by a tensor's shape or elements is
  /// decided once, for `example`. The first dimension may differ later if `forward` does not read its size. The written
  /// file is loaded again and run on `check`, so that a program that computes something else is never left behind.
  ///
  /// - Parameters:
  ///   - path: the file; it is written completely or not at all.
  ///   - parameters: tensors that are used by `forward`, and their names (letters, digits and underscores). Others become
  ///     constants, which do not move to another device with the module.
  ///   - about: JSON, kept in the file as `cleannet.json`: `torch.jit.load(path, _extra_files={"cleannet.json": ""})`.
  ///   - example: an input.
  ///   - check: another one, of another first dimension.
  /// - Throws: ``CheckpointError`` where the file cannot be written, or does not compute what `forward` computes.
  package static func write(
    to path: String, parameters: [(name: String, tensor: Tensor)], about: String,
    example: Tensor, check: Tensor, forward: (Tensor) -> Tensor
  ) throws(CheckpointError) {
    do throws(CheckpointFault) {
      let program = withoutGradients {
        record(parameters: parameters, about: about, example: example, forward: forward)
      }
      guard let program else { throw refused("libtorch cannot record the network") }
      guard let again = Engine.functions.run_script(program.handle, check.handle).map(Tensor.init(handle:))
      else {
        throw refused("libtorch cannot run what it has recorded")
      }
      let expected = withoutGradients { forward(check) }
      guard again.shape == expected.shape, largest(again - expected) <= 1e-3 * max(1, largest(expected))
      else {
        throw CheckpointFault(
          "the recorded program computes something else",
          remedy: "Please report this with the versions that `cleannet doctor` prints")
      }
      try AtomicFile.write([program.stored.bytes], to: path)
    } catch {
      throw error.error(in: path)
    }
  }

  private static func largest(_ tensor: Tensor) -> Double {
    tensor.absolute().reshaped([-1]).amax(dim: 0).item
  }

  private static func refused(_ what: String) -> CheckpointFault {
    CheckpointFault(
      "\(what): \(String(cString: Engine.functions.last_error()))",
      remedy: "Please report this with the versions that `cleannet doctor` prints")
  }

  /// The program's bytes; nil where the engine has left an error.
  private static func record(
    parameters: [(name: String, tensor: Tensor)], about: String, example: Tensor, forward: (Tensor) -> Tensor
  ) -> Tensor? {
    withoutActuallyEscaping(forward) { forward in
      let call = Call(forward)
      let names = parameters.map(\.name).joined(separator: "\n")
      let program = withExtendedLifetime((call, parameters)) {
        Engine.functions.trace(
          example.handle, { Unmanaged<Call>.fromOpaque($0).takeUnretainedValue().run($1) },
          Unmanaged.passUnretained(call).toOpaque(), parameters.map(\.tensor.handle), names, about)
      }
      return program.map(Tensor.init(handle:))
    }
  }

  /// A function of Swift for the engine to call.
  private final class Call {
    private let forward: (Tensor) -> Tensor
    /// Lives until the engine has copied the handle's tensor.
    private var result: Tensor?

    init(_ forward: @escaping (Tensor) -> Tensor) { self.forward = forward }

    func run(_ input: OpaquePointer) -> OpaquePointer? {
      result = forward(Tensor(handle: input))
      return result?.handle
    }
  }
}
